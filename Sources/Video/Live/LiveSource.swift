/// A live source that is watched for as long as this object lives, through every break of its connection.
///
///     let source = LiveSource(.init(reader: .init(input: .url(url))))
///     source.start()
///     for await event in source.events { … }
///
/// What is no live source by nature, a file or an HTTP stream, is read at the pace at which it happened.
///
/// One task takes the events; what it does not take in time goes, the oldest frame first, and is counted. Each attempt
/// has a thread of its own; nothing blocks the threads of tasks.
package final class LiveSource: Sendable {
    package struct Options: Sendable {
        /// How to read; its `policy` is not asked, since what is live cannot wait.
        package var reader: VideoReader.Options
        package var stallAfter = 5.0
        package var frozenAfter = 30.0
        package var pace = ReconnectPace()
        /// Seconds that a reader gets to return when it is told to.
        package var abandonAfter = 10.0
        /// Seconds past its deadline by which a reader has to be told.
        package var grace = 2.0

        package init(reader: VideoReader.Options) { self.reader = reader }

        /// What is wrong with them, if anything.
        fileprivate var problem: String? {
            let times = [
                ("stallAfter", stallAfter), ("frozenAfter", frozenAfter), ("abandonAfter", abandonAfter),
                ("grace", grace), ("pace.first", pace.first), ("pace.longest", pace.longest),
            ]
            for (name, seconds) in times where !(seconds > 0 && seconds < 1e6) {
                return "\(name) must be a number of seconds above 0, not \(seconds)"
            }
            if pace.first > pace.longest { return "the pace's first delay must not be longer than its longest" }
            return (0..<1).contains(pace.jitter)
                ? nil : "the pace's jitter must lie from 0 to below 1, not \(pace.jitter)"
        }
    }

    /// The events of a source; one iterator at a time.
    package struct Events: AsyncSequence, Sendable {
        package struct AsyncIterator: AsyncIteratorProtocol {
            let handOff: HandOff<LiveEvent>

            /// Nil when the source has ended, or when the task is cancelled.
            package mutating func next() async -> LiveEvent? { try? await handOff.next() }
        }

        let handOff: HandOff<LiveEvent>

        package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(handOff: handOff) }
    }

    private let session: LiveSession

    /// - Throws: `VideoError` for options that make no sense.
    package convenience init(_ options: Options) throws(VideoError) {
        try self.init(options, reader: FFmpegLiveReader(), seed: UInt64.random(in: 0 ... .max))
    }

    /// - Parameter seed: of the jitter of the pace.
    package init(_ options: Options, reader: any LiveReader, seed: UInt64) throws(VideoError) {
        try options.reader.validate()
        if let problem = options.problem {
            throw VideoError(.open, .invalidOption(problem), source: options.reader.input.displayName)
        }
        var reading = options.reader
        reading.policy = .dropOldest
        var settings = LiveMachine.Settings()
        settings.deadlines = options.reader.deadlines
        settings.pace = options.pace
        settings.stallAfter = options.stallAfter
        settings.frozenAfter = options.frozenAfter
        settings.abandonAfter = options.abandonAfter
        settings.grace = options.grace
        session = LiveSession(reading, settings, seed: seed, reader: reader)
    }

    deinit { session.handle(.stop) }

    package var events: Events { Events(handOff: session.events) }

    package var statistics: LiveStatistics { session.statistics }

    package func start() { session.handle(.start) }

    /// Closes the connection; nothing is read or decoded until `resume`.
    package func pause() { session.handle(.pause) }

    package func resume() { session.handle(.resume) }

    /// For good.
    ///
    /// The events end at once; the reader's thread ends by itself within about a tenth of a second.
    package func stop() { session.handle(.stop) }
}
