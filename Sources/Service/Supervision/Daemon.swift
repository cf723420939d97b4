package import Analysis
package import Events
internal import Faces
internal import FoundationEssentials
internal import Glibc
internal import Journal
package import Logging
internal import Synchronization

/// The whole of it: journal, bus, sinks, sources and what serves them, from the first line to the last.
///
/// The order of things: the state directory is taken, the networks are loaded, parts and sinks start, sources begin.
/// At the end sources stop and their tracks end, `run.summary` is the last line, and only then readers are let go of.
package actor Daemon {
    package struct Options: Sendable {
        /// What to do now.
        package var configuration: LoadedConfiguration
        /// Reads the configuration again.
        package var load: @Sendable () throws(ConfigurationError) -> LoadedConfiguration
        /// Makes what serves readers and commands.
        package var parts: @Sendable (DaemonFacts) throws -> [any DaemonPart] = { _ in [] }
        /// Makes the describer that a configuration asks for; nil where none is wanted.
        package var describer: @Sendable (Configuration) -> DescriberPool.Opener?
        package var environment: [String: String] = [:]
        package var tell: @Sendable (DaemonPhase) -> Void = { _ in }
        /// Changes the least important messages to log.
        package var setLogLevel: @Sendable (Configuration.LogLevel) -> Void = { _ in }
        package var logger: Logger
        /// How long sources get to end before the last line is written without them.
        package var grace = Duration.seconds(3)
        /// Between two looks at schedules and at whether sources are stuck.
        package var pulseInterval = Duration.seconds(5)
        package var now: @Sendable () -> LocalTime = LocalTime.now
        /// How long past its deadline a description may be before the describer counts as stuck.
        package var describerGrace = Duration.seconds(30)

        package init(
            configuration: LoadedConfiguration,
            logger: Logger,
            load: @escaping @Sendable () throws(ConfigurationError) -> LoadedConfiguration,
            describer: @escaping @Sendable (Configuration) -> DescriberPool.Opener?
        ) {
            self.configuration = configuration
            self.logger = logger
            self.load = load
            self.describer = describer
        }
    }

    /// A source that runs.
    struct Running {
        var supervisor: SourceSupervisor
        var task: Task<Void, Never>
    }

    let options: Options
    let logger: Logger
    package nonisolated let bus: EventBus
    let journal: Journal?
    let reports: JournalReports
    /// Held where the journal, which locks its own folder, does not.
    private let stateLock: StateLock?
    let pool: DescriberPool?
    let viewer: ViewerFeed?
    /// What is in effect, sources that were added by command included.
    package internal(set) var configuration: Configuration
    var running: [Running] = []
    var added: AddedSources
    /// Names of sources that a command has paused.
    var paused: Set<String> = []
    /// What sources that are gone have left: their part of the ledger, and their numbers.
    var past = Ledger()
    var numberings: [String: SourceSupervisor.Numbering] = [:]
    var parts: [any DaemonPart] = []
    var sinks: [OpenSink] = []
    var isReady = false
    var change: Task<Void, Never>?
    let startedAt = Timestamp.now()
    let started = ContinuousClock.now
    nonisolated let stopping = StopSwitch()

    /// Takes the state directory.
    ///
    /// - Throws: `JournalError` of kind `inUse` when another daemon has it.
    package init(_ options: Options) throws {
        self.options = options
        logger = options.logger
        let configuration = options.configuration.configuration
        self.configuration = configuration
        let instanceID = EventFactory.randomInstanceID()
        let (logger, reports) = (options.logger, JournalReports())
        self.reports = reports
        let state = configuration.daemon.stateDirectory
        let place = configuration.journal.enabled ? JournalPlace(configuration) : nil
        stateLock = place?.isFolder(state) == true ? nil : try StateLock(directory: state)
        journal = try place.map { place in
            try Journal(
                directory: place.folder,
                fileName: place.fileName,
                instanceID: instanceID,
                settings: JournalSettings(configuration.journal),
                report: { reports.handle($0, logger: logger) }
            )
        }
        added = AddedSources(path: configuration.statePath("sources.json"), logger: logger)
        bus = EventBus(instanceID: instanceID, store: journal)
        pool = options.describer(configuration).map { DescriberPool(open: $0) }
        viewer = configuration.http.viewerFeed
    }

    /// Asks it to end; from any thread, at any time.
    package nonisolated func stop(_ reason: RecordedRun.StopReason) {
        stopping.stop(reason)
    }

    /// Runs until it is told to stop.
    ///
    /// - Returns: the exit status.
    package func run() async -> Int32 {
        let opening = Task(name: "describer") { [pool, bus, logger] in
            await pool?.run { Self.report($0, to: bus, logger) }
        }
        let pulse = Task(name: "pulse") { await beat() }
        let isStarted = await start()
        if isStarted { await waitForStop() }
        isReady = false
        options.tell(.stopping)
        opening.cancel()
        pulse.cancel()
        await end(isStarted: isStarted)
        guard isStarted else { return stopping.reason?.rawValue ?? 1 }
        return stopping.reason?.rawValue ?? 0
    }

    // MARK: - Beginning

    /// - Returns: false where a part could not start.
    private func start() async -> Bool {
        do {
            configuration = withAddedSources(configuration)
            // Before the first line, so that files have them all.
            sinks = try configuration.sinks.map { try OpenSink($0, configuration, bus, logger) }
            parts = try options.parts(facts)
            for part in parts { try await part.start() }
            reports.open(bus)
        } catch {
            logger.critical("\(error)")
            return false
        }
        await open(configuration.sources)
        guard stopping.reason == nil else { return true }
        isReady = true
        options.tell(.ready)
        logger.notice("ready: \(running.count) sources")
        return true
    }

    var facts: DaemonFacts {
        DaemonFacts(
            bus: bus,
            configuration: configuration,
            handler: self,
            hello: { await self.hello },
            heartbeat: { await self.heartbeat },
            history: journal,
            viewer: viewer,
            status: { await self.status }
        )
    }

    /// Starts sources together; returns when each has loaded its networks, or could not.
    func open(_ sources: [SourceSettings]) async {
        let now = options.now()
        let supervisors = sources.filter(\.watch.enabled).map { source in
            SourceSupervisor(source, surroundings, numbering: numberings[source.name] ?? .init())
        }
        await unlessStopped {
            await withDiscardingTaskGroup { group in
                for supervisor in supervisors {
                    group.addTask {
                        await supervisor.follow(schedule: now)
                        await supervisor.prepare()
                    }
                }
            }
        }
        for supervisor in supervisors {
            if paused.contains(supervisor.name), stopping.reason == nil { await supervisor.pause() }
            let task = Task(name: "source.\(supervisor.name)") { await supervisor.run() }
            running.append(Running(supervisor: supervisor, task: task))
            // The signal may have come while networks were being loaded.
            if let reason = stopping.reason { supervisor.stop(reason) }
        }
    }

    /// Waits for `work`, but not when the daemon is to end: compiling networks takes its time and cannot be cancelled.
    private func unlessStopped(_ work: @escaping @Sendable () async -> Void) async {
        let (isOver, continuation) = AsyncStream.makeStream(of: Never.self)
        let job = Task(name: "models") {
            await work()
            continuation.finish()
        }
        stopping.attachWork { continuation.finish() }
        for await _ in isOver {}
        stopping.attachWork(nil)
        if stopping.reason == nil { await job.value }
    }

    private var surroundings: SourceSupervisor.Surroundings {
        let perception = configuration.perception
        var surroundings = SourceSupervisor.Surroundings(
            bus: bus,
            models: perception.modelsDirectory.map(ModelFolder.init(path:))
                ?? .standard(environment: options.environment),
            logger: logger
        )
        surroundings.modelCache =
            perception.cacheDirectory ?? InferenceCore.standardCacheFolder(environment: options.environment)
        surroundings.engine = configuration.engine
        surroundings.pool = pool
        surroundings.viewer = viewer
        return surroundings
    }

    private static func report(_ availability: DescriberPool.Availability, to bus: EventBus, _ logger: Logger) {
        switch availability {
        case .opening: break
        case .ready(let describer):
            logger.notice("the describer is ready", metadata: ["model": "\(describer.provenance.model ?? "unknown")"])
        case .failed(let reason):
            logger.error("the describer cannot be opened: \(reason)")
            _ = try? bus.publish(
                .error(ErrorRecord(code: "describer_unavailable", message: reason, retryable: true)),
                source: nil
            )
        }
    }
}

/// Passes on what the journal reports: what it finds at once waits until somebody can hear it, and nothing comes behind
/// the last line.
final class JournalReports: Sendable {
    private enum State {
        case early([ErrorRecord])
        case open(EventBus)
        case over
    }

    private let state = Mutex(State.early([]))

    func handle(_ report: JournalReport, logger: Logger) {
        let record = report.record
        if case .recovered = report { logger.notice("\(record.message)") } else { logger.error("\(record.message)") }
        state.withLock { state in
            switch state {
            case .early(let records): state = .early(records + [record])
            case .open(let bus): _ = try? bus.publish(.error(record), source: nil)
            case .over: break
            }
        }
    }

    /// To be called when sinks and sockets are there.
    func open(_ bus: EventBus) {
        state.withLock { state in
            guard case .early(let records) = state else { return }
            state = .open(bus)
            for record in records { _ = try? bus.publish(.error(record), source: nil) }
        }
    }

    /// To be called before the last line is published.
    func close() { state.withLock { $0 = .over } }
}
