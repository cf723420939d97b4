internal import Analysis
internal import Events
internal import Logging

/// What happens while the daemon runs: schedules, reloads, sources that come and go.
extension Daemon {
    func waitForStop() async {
        let (stopped, continuation) = AsyncStream.makeStream(of: Never.self)
        stopping.attach { continuation.finish() }
        for await _ in stopped {}
    }

    /// Follows the schedules, and tells that all is well as long as every stage answers.
    func beat() async {
        let pulse = Pulse()
        var silent: [String] = []
        while !Task.isCancelled {
            try? await Task.sleep(for: options.pulseInterval)
            if Task.isCancelled { return }
            let before = silent
            silent = pulse.beat(stages)
            if silent.isEmpty {
                if !before.isEmpty { logger.notice("every stage answers again") }
                let online = running.count { $0.supervisor.state.status == "online" }
                options.tell(.status("\(online) of \(running.count) sources online"))
                options.tell(.alive)
            } else {
                let names = silent.joined(separator: ", ")
                if silent != before { logger.critical("no sign of life from \(names)") }
                options.tell(.status("no sign of life from \(names)"))
            }
        }
    }

    /// All that could hang.
    ///
    /// Sinks are not among them: a pipe that nobody empties is its reader's fault.
    private var stages: [Pulse.Stage] {
        let now = options.now()
        var stages = running.map { source in
            Pulse.Stage("source \(source.supervisor.name)") {
                await source.supervisor.follow(schedule: now)
                await source.supervisor.pulse()
            }
        }
        if let journal { stages.append(Pulse.Stage("the journal") { await journal.pulse() }) }
        if let pool {
            // How long an answer may take is the describer's to keep to; it is given up only well past that.
            let limit = Duration.seconds(configuration.engine.timeoutSeconds) + options.describerGrace
            stages.append(Pulse.Stage("the describer") { await pool.pulse(limit: limit) })
        }
        stages.append(Pulse.Stage("the sockets") { await EventLoops.pulse() })
        return stages
    }

    /// Begins files anew that somebody else has put aside, and reads the configuration again.
    package func hangUp() async {
        // Nobody waits for one whose reader takes nothing.
        for sink in sinks { Task(name: "reopen") { await sink.reopen() } }
        _ = await reload()
    }

    /// Reads the configuration again; only sources that changed are opened anew.
    ///
    /// - Returns: what changed, or what is wrong with the configuration, which then stays as it was.
    package func reload() async -> Result<ConfigurationDiff, ConfigurationError> {
        await inTurn { daemon in
            daemon.options.tell(.reloading)
            defer { daemon.options.tell(.ready) }
            do throws(ConfigurationError) {
                return .success(await daemon.take(try daemon.options.load().configuration))
            } catch {
                daemon.logger.error("the configuration stays as it was: \(error)")
                return .failure(error)
            }
        }
    }

    private func take(_ new: Configuration) async -> ConfigurationDiff {
        let diff = ConfigurationDiff(from: configuration, to: new)
        var effective = new
        // What a running daemon cannot change stays as it is until the next start.
        effective.daemon = configuration.daemon
        effective.sinks = configuration.sinks
        effective.journal = configuration.journal
        configuration = effective
        let reopened = diff.changed.filter(\.needsRestart).map(\.settings)
        let names = Set(diff.removed + reopened.map(\.name) + diff.added.map(\.name))
        await close(names)
        await open(reopened + diff.added)
        let now = options.now()
        for change in diff.changed where !change.needsRestart {
            await supervisor(change.settings.name)?.apply(change.settings, at: now)
        }
        logger.notice("configuration read again: \(diff)")
        return diff
    }

    /// Ends sources and waits for it; their tracks end.
    func close(_ names: Set<String>) async {
        let leaving = running.filter { names.contains($0.supervisor.name) }
        for source in leaving { source.supervisor.stop(.interrupted) }
        for source in leaving {
            await source.task.value
            let (ledger, numbering) = (await source.supervisor.ledger, await source.supervisor.nextNumbering)
            // At once, so that nothing is counted twice or not at all.
            running.removeAll { $0.supervisor === source.supervisor }
            past += ledger
            numberings[source.supervisor.name] = numbering
        }
    }

    package func supervisor(_ name: String) -> SourceSupervisor? {
        running.first { $0.supervisor.name == name }?.supervisor
    }

    /// One change of the sources after the other.
    func inTurn<Value: Sendable>(_ body: @escaping @Sendable (isolated Daemon) async -> Value) async -> Value {
        let before = change
        let task = Task {
            await before?.value
            return await body(self)
        }
        change = Task { _ = await task.value }
        return await task.value
    }
}
