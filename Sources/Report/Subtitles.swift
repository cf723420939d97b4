package import Events

/// The sentences of one source as SubRip subtitles.
///
/// Players disagree on subtitles that overlap, so none do: time is cut where a sentence begins or ends, and each piece
/// shows what holds then, a line for each face. Sentences of the language model are preferred for the whole video;
/// without any, those that were put together from measurements are shown.
package struct Subtitles: Sendable {
    /// Seconds that a piece lasts at least; a shorter one is joined to the one before.
    private static let shortest = 0.5
    /// Seconds that a sentence stays when nothing tells how long the face does.
    private static let unknownStay = 4.0
    /// Lines at a time; more cannot be read.
    private static let lineLimit = 4

    /// A sentence, shown from a moment on.
    private struct Saying: Sendable {
        let time: Double
        let text: String
    }

    private struct Track: Sendable {
        var order: Int
        var sayings: [DescriptionRecord.Method: [Saying]] = [:]
        var lastSeen: Double
        var end: Double?
    }

    private var tracks: [String: Track] = [:]

    package init() {}

    /// Whether nothing was said.
    package var isEmpty: Bool { tracks.values.allSatisfy { $0.sayings.isEmpty } }

    /// - Parameter event: of one source of one run.
    package mutating func see(_ event: Event) {
        switch event.payload {
        case .trackStarted(let change), .trackUpdated(let change):
            see(change.trackID, at: change.frame.mediaTimeSeconds, change.description)
        case .faceAnalysis(let analysis):
            see(analysis.trackID, at: analysis.frame.mediaTimeSeconds, analysis.description)
        case .faceObservation(let observation):
            if let id = observation.trackID, tracks[id] != nil {
                see(id, at: observation.frame.mediaTimeSeconds, nil)
            }
        case .trackEnded(let end): tracks[end.trackID]?.end = end.lastMediaTimeSeconds
        case .sourceStatus, .gap, .runSummary, .error, .unknown: break
        }
    }

    private mutating func see(_ id: String, at time: Double, _ description: DescriptionRecord?) {
        var track = tracks[id] ?? Track(order: tracks.count, lastSeen: time)
        track.lastSeen = max(track.lastSeen, time)
        if let description {
            track.sayings[description.method, default: []].append(Saying(time: max(0, time), text: description.text))
        }
        tracks[id] = track
    }

    // MARK: - Writing

    private struct Interval {
        let start: Double
        let end: Double
        let order: Int
        let text: String
    }

    /// The file.
    package var srt: String {
        let intervals = intervals
        var cues: [(start: Double, end: Double, text: String)] = []
        let borders = Set(intervals.flatMap { [$0.start, $0.end] }).sorted()
        // Intervals that hold now, found by walking along: a day's file has as many borders as sentences.
        var waiting = intervals.sorted { ($0.start, $0.order) < ($1.start, $1.order) }[...]
        var holding: [Interval] = []
        for (start, end) in zip(borders, borders.dropFirst()) {
            holding.removeAll { $0.end <= start }
            while let next = waiting.first, next.start <= start {
                holding.append(next)
                waiting = waiting.dropFirst()
            }
            let text = Self.lines(holding)
            if let last = cues.last, last.end == start, text == last.text || end - start < Self.shortest {
                cues[cues.count - 1].end = end
            } else if !text.isEmpty {
                cues.append((start, end, text))
            }
        }
        var file = ""
        for (index, cue) in cues.enumerated() {
            file += "\(index + 1)\n\(Self.clock(cue.start)) --> \(Self.clock(cue.end))\n\(cue.text)\n\n"
        }
        return file
    }

    private var intervals: [Interval] {
        let method: DescriptionRecord.Method =
            tracks.values.contains { $0.sayings[.vlm] != nil } ? .vlm : .template
        let isAlone = tracks.count { $0.value.sayings[method] != nil } == 1
        var intervals: [Interval] = []
        for (id, track) in tracks {
            let sayings = (track.sayings[method] ?? []).enumerated()
                .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
            for (index, saying) in sayings.enumerated() {
                let last = track.end ?? max(track.lastSeen, saying.time + Self.unknownStay)
                // One that the track's end leaves no time for is shown for a moment all the same.
                let end =
                    index + 1 < sayings.count
                    ? sayings[index + 1].time : max(last, saying.time + Self.shortest)
                // To the millisecond, so that what touches here touches in the file.
                let (from, to) = (Self.milliseconds(saying.time), Self.milliseconds(end))
                guard to > from else { continue }
                let text = Self.plain(saying.text)
                guard !text.isEmpty else { continue }
                intervals.append(
                    Interval(
                        start: from,
                        end: to,
                        order: track.order,
                        text: isAlone ? text : "\(Self.plain(id)): \(text)"
                    )
                )
            }
        }
        return intervals
    }

    private static func lines(_ holding: [Interval]) -> String {
        let sorted = holding.sorted { $0.order < $1.order }
        var lines = sorted.prefix(lineLimit).map(\.text)
        if sorted.count > lineLimit { lines.append("and \(sorted.count - lineLimit) more") }
        return lines.joined(separator: "\n")
    }

    private static func milliseconds(_ seconds: Double) -> Double {
        // Some players stop reading at a hundred hours, and none shows a thousand.
        (min(max(seconds, 0), 3_599_999) * 1000).rounded() / 1000
    }

    private static func clock(_ seconds: Double) -> String {
        let total = Int((seconds * 1000).rounded())
        let whole = total / 1000
        return "\(Figures.padded(whole / 3600)):\(Figures.padded(whole / 60 % 60)):\(Figures.padded(whole % 60))"
            + ",\(Figures.padded(total % 1000, 3))"
    }

    /// Text that no player takes for markup or for the end of a subtitle: one line, and look-alikes for the brackets.
    static func plain(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result += "‹"
            case ">": result += "›"
            case "{": result += "｛"
            case "}": result += "｝"
            // libass reads \N and the like anywhere.
            case "\\": result += "＼"
            case "\n", "\r", "\t", "\u{0B}", "\u{0C}", "\u{85}", "\u{2028}", "\u{2029}": result += " "
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result.split(separator: " ").joined(separator: " ")
    }
}
