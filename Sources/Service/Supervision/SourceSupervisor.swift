package import Analysis
package import Events
package import Faces
internal import Imaging
package import Logging
internal import Synchronization
internal import Video

/// Runs one configured source: its pictures through the analysis, its faces to the describer, its events to the bus.
///
/// A live source is watched until it is stopped, a recording once to its end. Pictures are analysed on a queue of the
/// supervisor's own; the describer is waited for between them, never during one, and so a live source's perception is
/// as fast with a describer as without.
package actor SourceSupervisor {
    /// What all sources of a daemon have in common.
    package struct Surroundings: Sendable {
        package var bus: EventBus
        package var models: ModelFolder
        /// Where compiled networks are kept; nil for nowhere.
        package var modelCache: String?
        package var engine = Configuration.Engine()
        /// Nil where faces are not described.
        package var pool: DescriberPool?
        /// Nil where nobody may see pictures.
        package var viewer: ViewerFeed?
        package var logger: Logger
        /// How long to wait before networks that could not be loaded are tried again.
        package var retryInterval = Duration.seconds(60)

        package init(bus: EventBus, models: ModelFolder, logger: Logger) {
            self.bus = bus
            self.models = models
            self.logger = logger
        }
    }

    /// What must not be given twice within one start of the daemon, when a source is opened again.
    package struct Numbering: Sendable, Hashable {
        package var epoch = 0
        package var tracks = 0

        package init() {}
    }

    package nonisolated let name: String
    package nonisolated let isRecording: Bool
    /// That its events carry.
    nonisolated let attributes: Set<AttributeName>
    private(set) var settings: SourceSettings
    private(set) var surroundings: Surroundings
    let logger: Logger
    let stopping = StopSwitch()
    let publisher: EventPublisher
    private let numbering: Numbering
    let masks: [[Imaging.Point]]

    var analysis: SourceAnalysis?
    /// Nil where nobody is asked to describe this source's faces.
    var stage: DescriptionStage?
    /// Serves the queue of a live source.
    var worker: Task<Void, Never>?
    private var live: LiveSource?
    private var recording: VideoReader?
    let current: Mutex<SourceState>
    var rate = SampleRate()
    var framesSeen = 0
    var epoch: Int
    var lastFrame: (mediaTime: Double, time: EventTime?)?
    var eventsPublished = 0
    var failurePace = ReportPace(interval: .seconds(60))
    /// The last state that was logged, and when the same may be logged again.
    var loggedWords = ""
    var repeatPace = SourceSupervisor.repeatPace
    static let repeatPace = ReportPace(interval: .seconds(3600))

    var isPausedByCommand = false
    var isOffSchedule = false
    /// A recording that is paused waits on it.
    private var resumption: CheckedContinuation<Void, Never>?

    private let executor: QueueExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(_ settings: SourceSettings, _ surroundings: Surroundings, numbering: Numbering = Numbering()) {
        name = settings.name
        isRecording = settings.isRecording
        attributes = settings.analysisSettings.attributes
        self.settings = settings
        self.surroundings = surroundings
        self.numbering = numbering
        epoch = numbering.epoch
        masks = settings.watch.masks.map(\.corners)
        publisher = surroundings.bus.publisher(source: settings.name)
        current = Mutex(SourceState(name: settings.name))
        executor = QueueExecutor(label: "facellm.source.\(settings.name)")
        var logger = surroundings.logger
        logger[metadataKey: "source"] = "\(settings.name)"
        self.logger = logger
    }

    /// How the source stands; never waits for it.
    package nonisolated var state: SourceState { current.withLock { $0 } }

    /// What the next supervisor of the same source goes on from; once this one has ended.
    package var nextNumbering: Numbering {
        var next = Numbering()
        next.epoch = epoch + 1
        next.tracks = analysis?.lastTrack ?? numbering.tracks
        return next
    }

    /// Returns when the supervisor has had its turn on its queue, which it gets unless a stage hangs; where every reader
    /// hangs, only when one of them has come back.
    package func pulse() async {
        while live?.statistics.isOutOfReaders == true, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    // MARK: - Life

    /// Loads the networks, if they can be loaded; to be called once, before `run`.
    package func prepare() {
        guard analysis == nil else { return }
        do {
            let core = try InferenceCore(cacheFolder: surroundings.modelCache)
            analysis = try SourceAnalysis(
                core: core,
                models: surroundings.models,
                settings: settings.analysisSettings,
                tracksBefore: numbering.tracks
            )
        } catch {
            publish(.sourceStatus(SourceStatus(status: .failed, reason: SourceState.modelsUnavailable)))
            update(status: .failed, reason: SourceState.modelsUnavailable, attempt: nil)
            fail(SourceState.modelsUnavailable, "\(error)")
        }
        guard settings.watch.describe.enabled, let pool = surroundings.pool else { return }
        stage = DescriptionStage(
            describer: pool,
            settings: settings.descriptionSettings(surroundings.engine),
            isLive: !isRecording
        )
    }

    /// Watches the source until it ends or is stopped; every track has ended then and nothing is pending.
    package func run() async {
        while analysis == nil, stopping.reason == nil {
            await sleep(surroundings.retryInterval)
            if stopping.reason == nil { prepare() }
        }
        if let analysis, let input = settings.address?.input() {
            if isRecording {
                await play(input, analysis)
            } else {
                await watch(input, analysis)
            }
            await finish(analysis)
        }
        refresh()
    }

    /// Asks it to end; from any thread.
    package nonisolated func stop(_ reason: RecordedRun.StopReason) {
        stopping.stop(reason)
    }

    private func sleep(_ duration: Duration) async {
        let sleep = Task { _ = try? await Task.sleep(for: duration) }
        stopping.attach { sleep.cancel() }
        await sleep.value
    }

    private func watch(_ input: VideoInput, _ analysis: SourceAnalysis) async {
        let source: LiveSource
        do throws(VideoError) {
            source = try LiveSource(settings.liveOptions(input))
        } catch {
            update(status: .failed, reason: "unsupported", attempt: nil)
            publish(.sourceStatus(SourceStatus(status: .failed, reason: "unsupported")))
            return fail("unsupported", error.description)
        }
        live = source
        stopping.attach { source.stop() }
        if isPaused { source.pause() }
        source.start()
        for await event in source.events {
            switch event {
            case .status(let status): handle(status, analysis)
            case .epoch(let info, let reason): await begin(info, reason, analysis)
            case .gap(let gap): handle(gap)
            case .frame(let frame): await handle(frame, analysis)
            }
            refresh()
        }
    }

    private func play(_ input: VideoInput, _ analysis: SourceAnalysis) async {
        do {
            stopping.attach { [weak self] in Task { await self?.wakeUp() } }
            await waitWhilePaused(nil)
            guard stopping.reason == nil else { return tell(.ended, "stopped") }
            update(status: .connecting, reason: nil, attempt: 1)
            let options = settings.readerOptions(input)
            let opening = Task { try await VideoReader.open(options) }
            stopping.attach { opening.cancel() }
            let reader = try await opening.value
            recording = reader
            stopping.attach { [weak self] in
                reader.cancel()
                Task { await self?.wakeUp() }
            }
            tell(.online, "started", video: reader.info)
            while let event = try await reader.next() {
                await waitWhilePaused(reader.info)
                switch event {
                case .epoch(let info, let reason): await begin(info, reason, analysis)
                case .frame(let frame): await handle(frame, analysis)
                }
                refresh()
            }
            await publish(analysis.endTracks(stopping.reason == nil ? .endOfStream : .interrupted), analysis, nil)
            tell(.ended, stopping.reason == nil ? "end_of_stream" : "stopped")
        } catch {
            await publish(analysis.endTracks(stopping.reason == nil ? .endOfStream : .interrupted), analysis, nil)
            guard stopping.reason == nil else { return tell(.ended, "stopped") }
            tell(.failed, "unreadable")
            fail("source_failed", "\(error)")
        }
    }

    /// A recording that is paused stays where it is.
    ///
    /// - Parameter info: of what is open; nil before.
    private func waitWhilePaused(_ info: StreamInfo?) async {
        guard isPaused, stopping.reason == nil else { return }
        tell(.paused, isPausedByCommand ? "paused" : "schedule")
        while isPaused, stopping.reason == nil {
            await withCheckedContinuation { resumption = $0 }
        }
        rate.reset()
        if stopping.reason == nil, let info { tell(.online, "resumed", video: info) }
    }

    /// Ends all that is open: tracks, requests, the reader's counters.
    private func finish(_ analysis: SourceAnalysis) async {
        await publish(analysis.endTracks(stopping.reason == nil ? .endOfStream : .interrupted), analysis, nil)
        if stopping.reason != nil { stage?.dropAll() }
        if let worker {
            let grace = stopping.reason == nil ? settings.descriptionSettings(surroundings.engine).grace : .zero
            let timer = Task {
                try? await Task.sleep(for: grace)
                worker.cancel()
            }
            stopping.attach { timer.cancel() }
            await worker.value
            timer.cancel()
        }
        stage?.dropAll()
        if let recording, !recording.isFinished {
            recording.cancel()
            while let _ = try? await recording.next() {}
        }
        refresh()
    }

    // MARK: - Pausing

    package func pause() {
        isPausedByCommand = true
        applyPause()
    }

    package func resume() {
        isPausedByCommand = false
        applyPause()
    }

    /// Takes over settings that need no new start.
    ///
    /// - Parameter settings: nil where the source's own stay as they are.
    package func apply(_ settings: SourceSettings?, _ engine: Configuration.Engine, at time: LocalTime) {
        if let settings { self.settings = settings }
        surroundings.engine = engine
        stage?.apply(self.settings.descriptionSettings(engine))
        follow(schedule: time)
    }

    /// Looks at the clock on the wall.
    package func follow(schedule time: LocalTime) {
        isOffSchedule = !settings.watch.schedule.isOpen(time.day, minute: time.minute)
        applyPause()
    }

    private var isPaused: Bool { isPausedByCommand || isOffSchedule }

    private func applyPause() {
        if isPaused { live?.pause() } else { live?.resume() }
        if !isPaused { wakeUp() }
    }

    private func wakeUp() {
        resumption?.resume()
        resumption = nil
    }

    // MARK: - Ledger

    /// Every frame, face and crop of this source accounted for, at this moment.
    package var ledger: Ledger {
        var ledger = analysis?.ledger ?? Ledger()
        stage?.queue.outcomes.add(to: &ledger)
        let video = recording?.statistics ?? live?.statistics.video ?? VideoStatistics()
        // The counters of a reader that hangs come back with it.
        ledger.framesDecoded = max(video.framesDecoded, framesSeen)
        ledger.framesSampled = framesSeen
        ledger.framesUnsampled = ledger.framesDecoded - framesSeen
        ledger.framesSkipped = video.framesSkipped
        ledger.framesCorrupt = video.framesCorrupt + video.packetsCorrupt + video.decodeErrors
        ledger.eventsPublished = eventsPublished
        return ledger
    }

    func refresh() {
        let ledger = ledger
        let statistics = live?.statistics
        let dropped = statistics?.video.framesDropped ?? recording?.statistics.framesDropped ?? 0
        let withheld = statistics?.framesWithheld ?? 0
        let (waiting, epoch) = (stage?.queue.waiting.count ?? 0, epoch)
        current.withLock { state in
            state.ledger = ledger
            state.framesDropped = max(0, dropped - withheld)
            state.gaps = statistics?.gaps ?? 0
            state.connections = statistics?.connections ?? 0
            state.queue = waiting
            state.epoch = epoch
        }
    }
}
