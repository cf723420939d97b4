internal import Analysis
internal import Events
internal import Journal
internal import Logging

/// How the daemon ends: in order, and in time even where something hangs.
extension Daemon {
    func end(isStarted: Bool) async {
        let reason = stopping.reason ?? .terminated
        for source in running { source.supervisor.stop(reason) }
        pool?.close()
        let tasks = running.map(\.task)
        let isComplete = await within(options.grace) { for task in tasks { await task.value } }
        if !isComplete { logger.error("sources hang; the last line is written without them") }
        reports.close()
        if isStarted {
            let exitReason: ExitReason = stopping.reason?.exitReason ?? .failure
            let summary = RunSummary(
                ledger: ledger,
                exitReason: exitReason,
                complete: false,
                provenance: provenance,
                elapsedSeconds: uptimeSeconds
            )
            do throws(EventError) {
                try bus.publish(.runSummary(summary), source: configuration.daemon.instanceName)
            } catch {
                logger.error("the last line could not be published: \(error)")
            }
            for violation in summary.ledger.violations(atEnd: isComplete) {
                logger.error("the ledger does not add up: \(violation)")
            }
        }
        bus.finish()
        let (journal, parts, sinks) = (journal, parts, sinks)
        let isFlushed = await within(.seconds(1)) {
            // A sink that hangs must cost nobody else the last lines.
            await withDiscardingTaskGroup { group in
                for sink in sinks { group.addTask { await sink.finish() } }
                group.addTask {
                    await journal?.flush()
                    for part in parts.reversed() { await part.stop() }
                    await journal?.close()
                }
            }
        }
        if !isFlushed { logger.error("not everything could be written in time") }
        logger.notice("ended")
    }

    /// Waits for `work`, but not for ever.
    ///
    /// - Returns: whether it was done in time.
    private func within(_ limit: Duration, _ work: @escaping @Sendable () async -> Void) async -> Bool {
        let (outcome, continuation) = AsyncStream.makeStream(of: Bool.self)
        let job = Task {
            await work()
            continuation.yield(true)
        }
        let timer = Task {
            try? await Task.sleep(for: limit)
            continuation.yield(false)
        }
        defer {
            job.cancel()
            timer.cancel()
        }
        for await isDone in outcome { return isDone }
        return false
    }
}
