import Analysis
import Events
import Faces
import Imaging
import Video

/// A clip as `SourceAnalysis` saw it, face by face.
struct AnalysedClip: Sendable {
    /// What is analysed, and how.
    struct Look: Sendable, Hashable {
        var clip: Clip
        var sampling = Sampling.everyFrame
        /// Of these samples every how manieth.
        var stride = 1
        var tiling = false
    }

    struct Face: Sendable {
        var face: PerceivedFace
        /// As events name it; nil before the track counted.
        var track: String?
        var observation: FaceObservation?
    }

    struct Frame: Sendable {
        var index: Int
        var time: Double
        var faces: [Face]
    }

    var frames: [Frame] = []
    var payloads: [Event.Payload] = []
    var ledger = Ledger()
    /// Times of the first pictures after a cut.
    var cuts: [Double] = []

    var started: [TrackChange] { payloads.compactMap { if case .trackStarted(let start) = $0 { start } else { nil } } }
    var ended: [TrackEnd] { payloads.compactMap { if case .trackEnded(let end) = $0 { end } else { nil } } }

    func frame(_ index: Int) -> Frame? { frames.first { $0.index == index } }

    /// The tracker's numbers of the faces of tracks that counted, those before they did included.
    func samples(of track: String) -> [(frame: Frame, face: Face)] {
        frames.flatMap { frame in
            frame.faces.filter { $0.face.track.map { "t\($0)" } == track }.map { (frame, $0) }
        }
    }

    /// Each look is taken once, whoever asks.
    static func of(_ look: Look) async throws -> AnalysedClip { try await Cache.shared.clip(look) }

    private actor Cache {
        static let shared = Cache()
        private var clips: [Look: Task<AnalysedClip, any Error>] = [:]
        /// One at a time: tests run in parallel, and the processors are few.
        private var last: Task<AnalysedClip, any Error>?

        func clip(_ look: Look) async throws -> AnalysedClip {
            if let known = clips[look] { return try await known.value }
            let before = last
            let task = Task {
                _ = await before?.result
                return try await AnalysedClip.analyse(look)
            }
            clips[look] = task
            last = task
            return try await task.value
        }
    }

    private static func analyse(_ look: Look) async throws -> AnalysedClip {
        var settings = AnalysisSettings()
        settings.perception.tiling = look.tiling ? .auto : .off
        settings.observations = true
        let analysis = try SourceAnalysis(
            core: InferenceCore(),
            models: TestMedia.models,
            settings: settings
        )
        let reader = try await VideoReader.open(.init(input: .file(look.clip.path), sampling: look.sampling))
        var scene = SceneChange()
        var result = AnalysedClip()
        while let event = try await reader.next() {
            guard case .frame(let frame) = event, frame.index.isMultiple(of: look.stride) else { continue }
            if scene.see(Pyramid(frame.picture)) { result.cuts.append(frame.mediaTime) }
            let payloads = try analysis.see(frame)
            var observations: [FaceObservation?] = payloads.compactMap {
                if case .faceObservation(let observation) = $0 { observation } else { nil }
            }
            if observations.count != analysis.sightings.count { observations = analysis.sightings.map { _ in nil } }
            result.frames.append(
                Frame(
                    index: frame.index,
                    time: frame.mediaTime,
                    faces: zip(analysis.sightings, observations).map {
                        Face(face: $0.face, track: $0.trackID, observation: $1)
                    }
                )
            )
            result.payloads += payloads
        }
        result.payloads += analysis.endTracks(.endOfStream)
        result.ledger = analysis.ledger
        return result
    }
}
