import Analysis
import ArgumentParser
import Events
import Imaging
import Report
import Synchronization

/// What is made of events besides a page, of a run or of a file.
struct TableOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Tables for R or pandas: NAME.csv makes NAME-tracks.csv and NAME-observations.csv.",
            valueName: "NAME.csv"
        )
    )
    var csv: String?

    @Option(help: ArgumentHelp("The sentences as subtitles.", valueName: "out.srt"))
    var srt: String?
}

/// What else is made of the events while they come.
struct ReportOptions: ParsableArguments {
    @Option(
        name: .customLong("report"),
        help: ArgumentHelp("A page to look at: one HTML file that needs nothing else.", valueName: "out.html")
    )
    var html: String?

    @Flag(help: "Puts a picture of each face on the page. It holds none without this.")
    var reportShots = false

    @OptionGroup var tables: TableOptions

    var paths: ReportOutputs.Paths { ReportOutputs.Paths(html: html, csv: tables.csv, srt: tables.srt) }

    func validate() throws {
        if reportShots, html == nil { throw ValidationError("--report-shots is for the page: give --report too.") }
    }
}

/// The outputs of a run, which come from the analysis' queue.
final class Reporting: Sendable {
    private struct State {
        var outputs: ReportOutputs
        var source: String?
        var lines = 0
        /// By track and time of the shot.
        var shots: [(track: String, picture: ReportPage.Picture)] = []
    }

    private let state: Mutex<State>

    init(_ outputs: sending ReportOutputs) {
        state = Mutex(State(outputs: outputs))
    }

    func attach(to options: inout RecordedRun.Options, pictures: Bool) {
        options.observer = { [self] event in
            state.withLock { state in
                state.lines += 1
                state.source = event.envelope.source
                state.outputs.see(event)
            }
        }
        guard pictures else { return }
        options.keepShot = { [self] track, time, jpeg in
            state.withLock { $0.shots.append((track, ReportPage.Picture(jpeg: jpeg, time: time))) }
        }
    }

    /// Writes everything, if the run began at all.
    func finish() throws(FileReplacement.Failure) -> [String] {
        let result: Result<[String], FileReplacement.Failure> = state.withLock { state in
            guard state.lines > 0 else {
                state.outputs.discard()
                return .success([])
            }
            state.outputs.counts.events = state.lines
            for (track, picture) in state.shots {
                let key = ReportPage.TrackKey(run: 0, source: state.source, track: track)
                state.outputs.pictures[key] = picture
            }
            do throws(FileReplacement.Failure) {
                return .success(try state.outputs.finish())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
