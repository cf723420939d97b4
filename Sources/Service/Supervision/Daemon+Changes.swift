internal import Analysis
internal import Events
internal import Journal
internal import Logging

/// What happens while the daemon runs: schedules, reloads, sources that come and go.
extension Configuration.Sink {
    /// Whether both write to the same place, and so cannot be open at once.
    fileprivate func hasPlace(of other: Configuration.Sink) -> Bool { kind == other.kind && path == other.path }
}

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

    /// Reads the configuration again, and begins files anew that somebody else has put aside.
    package func hangUp() async {
        _ = await reload()
        // Nobody waits for one whose reader takes nothing.
        for sink in sinks { Task(name: "reopen") { await sink.reopen() } }
    }

    /// Reads the configuration again; only sources that changed are opened anew.
    ///
    /// - Returns: what changed, a line each, or what is wrong with the configuration, which then stays as it was.
    package func reload() async -> Result<[String], ConfigurationError> {
        await inTurn { daemon in
            daemon.options.tell(.reloading)
            defer { daemon.options.tell(.ready) }
            do throws(ConfigurationError) {
                return .success(await daemon.take(try daemon.options.load().configuration))
            } catch {
                let problems = error.description.split(separator: "\n").joined(separator: "; ")
                daemon.logger.error("the configuration stays as it was: \(problems)")
                return .failure(error)
            }
        }
    }

    private func take(_ file: Configuration) async -> [String] {
        let new = withAddedSources(file)
        let diff = ConfigurationDiff(from: configuration, to: new)
        let before = configuration
        configuration = configuration.adopting(new)
        var lines = "\(diff)".split(separator: "\n").map(String.init)
        if diff.hasReloaded("daemon.log_level") { options.setLogLevel(configuration.daemon.logLevel) }
        if diff.hasReloaded("journal") {
            let settings = JournalSettings(configuration.journal)
            await journal?.keep(maximumAge: settings.maximumAge, maximumBytes: settings.maximumBytes)
        }
        if diff.hasReloaded("sinks") { lines += await changeSinks(from: before.sinks) }
        if diff.hasReloaded("sockets") {
            for part in parts { await part.apply(configuration) }
        }
        let reopened = diff.changed.filter(\.needsRestart).map(\.settings)
        await close(Set(diff.removed + reopened.map(\.name) + diff.added.map(\.name)))
        await open(reopened + diff.added)
        let changed = Dictionary(diff.changed.map { ($0.settings.name, $0.settings) }) { first, _ in first }
        for source in running where changed[source.supervisor.name] != nil || diff.hasReloaded("engine") {
            await source.supervisor.apply(
                changed[source.supervisor.name],
                configuration.engine,
                at: options.now()
            )
        }
        logger.notice("configuration read again: \(lines.joined(separator: "; "))")
        return lines
    }

    /// Opens sinks that are new and ends those that are gone; the others do not notice.
    ///
    /// - Returns: what went wrong, a line each; such a sink is tried again with the next reload.
    private func changeSinks(from before: [Configuration.Sink]) async -> [String] {
        var former = sinks
        var failures: [String] = []
        sinks = []
        for (index, wanted) in configuration.sinks.enumerated() {
            if let place = former.firstIndex(where: { $0.settings == wanted }) {
                sinks.append(former.remove(at: place))
                continue
            }
            do {
                if let place = former.firstIndex(where: { $0.settings.hasPlace(of: wanted) }) {
                    sinks.append(
                        try await OpenSink(wanted, replacing: former.remove(at: place), configuration, bus, logger)
                    )
                } else {
                    sinks.append(try OpenSink(wanted, configuration, bus, logger))
                }
            } catch {
                failures.append("sinks[\(index)]: \(error)")
                logger.error("a sink cannot be opened: \(error)")
            }
        }
        for sink in former { await sink.close() }
        configuration.sinks = sinks.map(\.settings)
        return failures
    }

    /// A configuration with the sources that were added by command.
    ///
    /// The file is stronger: what it names is its own from then on. A source that cannot be used now, since its secret
    /// is gone for instance, is told of and stays for the next time.
    func withAddedSources(_ configuration: Configuration) -> Configuration {
        var result = configuration
        let loader = ConfigurationLoader(environment: options.environment)
        for (name, text) in added.texts {
            guard !result.sources.contains(where: { $0.name == name }) else {
                logger.notice("the source \(name) stands in the configuration now; the added one is forgotten")
                if let problem = added.remove(name) { logger.error("\(problem)") }
                continue
            }
            do throws(ConfigurationError) {
                result.sources.append(try loader.source(JSONText: text, defaults: configuration.sourceDefaults))
            } catch {
                logger.error("the added source \(name) cannot be watched: \(error)")
            }
        }
        return result
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
