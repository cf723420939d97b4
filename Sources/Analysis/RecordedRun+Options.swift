package import Events
package import Faces
package import Video

extension RecordedRun {
    /// What to analyse, how, and where the results go.
    package struct Options: Sendable {
        package var reader: VideoReader.Options
        package var analysis = AnalysisSettings()
        package var models: ModelFolder
        /// Where compiled models are kept between runs; nil for nowhere.
        package var modelCache: String?
        /// The name of the source in events.
        package var sourceName: String
        /// A path, or `-` for standard output.
        package var output = "-"
        /// Leaves out of events what differs between two runs.
        package var stable = false
        /// An annotated copy of the video.
        package var annotated: String?
        /// A folder for a crop of each track's best shot.
        package var crops: String?
        /// Is told of each event after it was written, on the analysis' queue.
        package var observer: (@Sendable (Event) -> Void)?
        /// Is given a crop of each track's best shot when the track ends: its id, the media time and a JPEG.
        package var keepShot: (@Sendable (_ track: String, _ time: Double, _ jpeg: [UInt8]) -> Void)?
        /// Puts faces into words; nil leaves it at what perception says.
        package var describer: (any FaceDescriber)?
        /// When the describer is asked.
        package var description = DescriptionSettings()
        /// Whether the source waits for the describer, as a recorded file does; a live source goes on and drops.
        package var describesInLine: Bool
        /// Whether lines may wait for faces further on, to be described together with those before: in a file, which
        /// nobody watches as it happens.
        package var looksAhead: Bool
        /// Keeps the duration of every call of every stage.
        package var measuresTimings = false

        package init(reader: VideoReader.Options, models: ModelFolder, sourceName: String) {
            self.reader = reader
            self.models = models
            self.sourceName = sourceName
            describesInLine = !reader.input.isLive
            looksAhead = if case .file = reader.input { true } else { false }
        }
    }
}
