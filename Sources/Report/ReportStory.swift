package import Events

/// What one source of one run did: its faces, and what happened to itself.
package struct SourceStory: Sendable {
    /// A change of state, a loss or a failure.
    package struct Happening: Sendable, Hashable {
        package enum Kind: String, Sendable {
            case status, gap, error
        }

        package let kind: Kind
        /// Wall clock, where the line tells it.
        package let time: Timestamp?
        package let epoch: Int?
        package let words: String
    }

    private static let happeningLimit = 200

    /// Nil for what belongs to no source.
    package let name: String?
    package private(set) var tracks: [TrackStory] = []
    package private(set) var happenings: [Happening] = []
    package private(set) var happeningsLeftOut = 0
    package private(set) var video: SourceStatus.Video?
    /// Faces in observations that belong to no track.
    package private(set) var trackless = 0
    private var index: [String: Int] = [:]

    init(name: String?) {
        self.name = name
    }

    /// Media time from the first to the last face; nil without a face.
    package var extent: ClosedRange<Double>? {
        guard let first = tracks.map(\.firstTime).min(), let last = tracks.map(\.lastTime).max() else { return nil }
        return first...max(first, last)
    }

    mutating func see(_ event: Event) {
        switch event.payload {
        case .sourceStatus(let status):
            video = status.video ?? video
            note(.status, Self.words(status), event)
        case .gap(let gap): note(.gap, Self.words(gap), event)
        case .error(let error): note(.error, "\(error.code): \(error.message)", event)
        case .trackStarted(let change), .trackUpdated(let change):
            withTrack(change.trackID, at: change.frame.mediaTimeSeconds) { $0.see(change) }
        case .faceAnalysis(let analysis):
            withTrack(analysis.trackID, at: analysis.frame.mediaTimeSeconds) { $0.see(analysis) }
        case .trackEnded(let end):
            withTrack(end.trackID, at: end.firstMediaTimeSeconds) { $0.see(end) }
        case .faceObservation(let observation):
            guard let id = observation.trackID else {
                trackless += 1
                return
            }
            withTrack(id, at: observation.frame.mediaTimeSeconds) { $0.see(observation) }
        case .runSummary, .unknown: break
        }
    }

    private mutating func withTrack(_ id: String, at time: Double, _ body: (inout TrackStory) -> Void) {
        if let position = index[id] {
            body(&tracks[position])
        } else {
            var track = TrackStory(id: id, time: time)
            body(&track)
            index[id] = tracks.count
            tracks.append(track)
        }
    }

    private mutating func note(_ kind: Happening.Kind, _ words: String, _ event: Event) {
        guard happenings.count < Self.happeningLimit else {
            happeningsLeftOut += 1
            return
        }
        happenings.append(
            Happening(
                kind: kind,
                time: event.envelope.time ?? event.envelope.publishedAt,
                epoch: event.envelope.epoch,
                words: words
            )
        )
    }

    private static func words(_ status: SourceStatus) -> String {
        var words = status.status.rawValue
        if let attempt = status.attempt { words += ", attempt \(attempt)" }
        if let reason = status.reason { words += ": \(reason)" }
        if let video = status.video {
            words += " · \(video.codec), \(video.width) × \(video.height)"
            if let rate = video.framesPerSecond { words += ", \(Figures.decimal(rate, 2)) frames a second" }
        }
        return words
    }

    private static func words(_ gap: Gap) -> String {
        var words = "\(gap.scope.rawValue) lost: \(gap.reason)"
        if let lost = gap.lost { words += ", \(lost) \(gap.scope == .media ? "frames" : "lines")" }
        if let from = gap.fromMediaTimeSeconds { words += ", from \(Figures.clock(from))" }
        if let to = gap.toMediaTimeSeconds { words += " to \(Figures.clock(to))" }
        return words
    }
}

/// What one start of the program wrote.
package struct RunStory: Sendable {
    /// Nil in stable lines.
    package let instanceID: String?
    package private(set) var sources: [SourceStory] = []
    package private(set) var summary: RunSummary?
    package private(set) var events = 0
    /// Lines between the first and the last that the file does not have, as the numbers of the lines tell.
    package private(set) var missing = 0
    package private(set) var firstTime: Timestamp?
    package private(set) var lastTime: Timestamp?
    fileprivate var lastSeq: Int?
    private var index: [String?: Int] = [:]

    init(instanceID: String?) {
        self.instanceID = instanceID
    }

    mutating func see(_ event: Event) {
        events += 1
        if let seq = event.envelope.seq {
            // Numbers of a damaged file may be anything.
            if let lastSeq, seq > lastSeq {
                let step = seq.subtractingReportingOverflow(lastSeq)
                let sum = missing.addingReportingOverflow(step.overflow ? .max : step.partialValue - 1)
                missing = sum.overflow ? .max : sum.partialValue
            }
            lastSeq = max(lastSeq ?? seq, seq)
        }
        if let time = event.envelope.time ?? event.envelope.publishedAt {
            firstTime = min(firstTime ?? time, time)
            lastTime = max(lastTime ?? time, time)
        }
        if case .runSummary(let summary) = event.payload { self.summary = summary }
        let name = event.envelope.source
        if let position = index[name] {
            sources[position].see(event)
        } else {
            var source = SourceStory(name: name)
            source.see(event)
            index[name] = sources.count
            sources.append(source)
        }
    }
}

/// Everything that a file of events tells, put together by run, source and track.
package struct ReportStory: Sendable {
    package private(set) var runs: [RunStory] = []
    private var index: [String?: Int] = [:]

    package init() {}

    /// - Returns: the position in `runs` of the run that the event belongs to.
    @discardableResult
    package mutating func see(_ event: Event) -> Int {
        let id = event.envelope.instanceID
        if let position = index[id], !begins(event, anotherRunThan: runs[position]) {
            runs[position].see(event)
            return position
        }
        var run = RunStory(instanceID: id)
        run.see(event)
        index[id] = runs.count
        runs.append(run)
        return runs.count - 1
    }

    package var tracks: Int { runs.reduce(0) { $0 + $1.sources.reduce(0) { $0 + $1.tracks.count } } }

    /// The names of all sources, each once, in the order in which they come.
    package var sourceNames: [String] {
        var names: [String] = []
        for name in runs.flatMap({ $0.sources.compactMap(\.name) }) where !names.contains(name) { names.append(name) }
        return names
    }

    /// Stable lines name no instance: there a number that does not grow begins another run.
    private func begins(_ event: Event, anotherRunThan run: RunStory) -> Bool {
        guard event.envelope.instanceID == nil, let seq = event.envelope.seq, let last = run.lastSeq else {
            return false
        }
        return seq <= last
    }
}
