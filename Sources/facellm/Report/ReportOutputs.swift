import Events
import Imaging
import Report

/// What is made from events while they come, and written when they are over: the page, the tables, the subtitles.
final class ReportOutputs {
    /// Where each goes; nil for what nobody asked for.
    struct Paths: Hashable {
        var html: String?
        var csv: String?
        var srt: String?

        var isEmpty: Bool { html == nil && csv == nil && srt == nil }

        /// The two files of `--csv NAME.csv`: `NAME-tracks.csv` and `NAME-observations.csv`.
        var tables: (tracks: String, observations: String)? {
            guard let csv else { return nil }
            let base = csv.lowercased().hasSuffix(".csv") ? String(csv.dropLast(4)) : csv
            return ("\(base)-tracks.csv", "\(base)-observations.csv")
        }

        /// All files, by the option that names them.
        var files: [(option: String, path: String)] {
            [("--report", html), ("--csv", tables?.tracks), ("--csv", tables?.observations), ("--srt", srt)]
                .compactMap { option, path in path.map { (option, $0) } }
        }
    }

    private struct Timeline: Hashable {
        let run: Int
        let source: String?
    }

    private let html: FileReplacement?
    private let tracks: FileReplacement?
    private let observations: FileReplacement?
    private let srt: FileReplacement?
    private(set) var story = ReportStory()
    private var subtitles: [Timeline: Subtitles] = [:]
    /// Timelines in the order in which they came.
    private var timelines: [Timeline] = []
    private(set) var observationRows = 0
    var counts = EventReading.Counts()
    var pictures: [ReportPage.TrackKey: ReportPage.Picture] = [:]
    private var failure: FileReplacement.Failure?

    /// Opens everything, so that a wrong name is told before the work and not after it.
    init(_ paths: Paths) throws(FileReplacement.Failure) {
        html = try Self.open(paths.html)
        tracks = try Self.open(paths.tables?.tracks)
        observations = try Self.open(paths.tables?.observations)
        srt = try Self.open(paths.srt)
        try observations?.write(ObservationTable.header)
    }

    private static func open(_ path: String?) throws(FileReplacement.Failure) -> FileReplacement? {
        guard let path else { return nil }
        return try FileReplacement(path)
    }

    /// Takes an event over; what cannot be written shows in `finish`.
    func see(_ event: Event) {
        let run = story.see(event)
        if let observations, failure == nil, let row = ObservationTable.row(event) {
            observationRows += 1
            do throws(FileReplacement.Failure) {
                try observations.write(row)
            } catch {
                failure = error
            }
        }
        if srt != nil {
            let timeline = Timeline(run: run, source: event.envelope.source)
            if subtitles[timeline] == nil { timelines.append(timeline) }
            subtitles[timeline, default: Subtitles()].see(event)
        }
    }

    /// Puts all files in place.
    ///
    /// - Returns: what a user should know about them besides.
    func finish() throws(FileReplacement.Failure) -> [String] {
        var remarks: [String] = []
        if let failure { throw failure }
        if let html {
            try html.write(ReportPage(story, counts: counts, pictures: pictures).html)
            try html.commit()
        }
        if let tracks {
            for row in TrackTable.rows(story) { try tracks.write(row) }
            try tracks.commit()
        }
        if let observations {
            try observations.commit()
            if observationRows == 0, story.tracks > 0 {
                remarks.append(
                    "\(observations.path) has no rows: the events hold no observations, which analyze --observations writes"
                )
            }
        }
        if let srt {
            let spoken = timelines.filter { subtitles[$0]?.isEmpty == false }
            if spoken.count > 1 {
                remarks.append(
                    "\(srt.path) has the sentences of the last of \(spoken.count) timelines; choose a source with --source"
                )
            }
            if let last = spoken.last, let words = subtitles[last] { try srt.write(words.srt) }
            try srt.commit()
        }
        return remarks
    }

    /// Leaves all files as they were before.
    func discard() {
        for file in [html, tracks, observations, srt] { file?.discard() }
    }
}
