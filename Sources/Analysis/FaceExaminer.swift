internal import Events
internal import Faces
internal import Imaging

/// Asks the small networks about a face: only about faces that show enough, and not twice about the same thing.
///
/// Remembers of each track what was asked last; the track's history itself is `TrackState`'s.
final class FaceExaminer {
    /// What the expression network had to say.
    enum Answer {
        /// The face is too small, too blurred or too far turned to ask about.
        case unreadable
        /// It shows nothing that the last answer was not about.
        case known
        /// A new answer, so many seconds after the last one.
        case new(ExpressionScores, elapsed: Double)
    }

    private enum Limit {
        /// Pixels of the box from which a mesh shows what mouth and brows do.
        static let muscleWidth: Float = 32
        /// The mesh's logit from which its shape is the face's own and not mostly the network's idea of a face: sharp
        /// faces of 24 pixels and more have 20 to 60, faces of 10 to 25 pixels that were enlarged 5 to 18.
        static let clearPresence: Float = 18
        /// Degrees of yaw beyond which eyes cannot be measured, and beyond which the far one cannot.
        static let eyeYaw: Float = 60
        static let farEyeYaw: Float = 28
        /// Seconds between two looks at a track's eyes.
        static let eyeInterval = 0.9
        /// Degrees of turn up to which a picture is a good one to guess age and gender from.
        static let shotTurn: Float = 40
    }

    /// Where the time goes; kept only when asked for.
    var timings = StageTimings()

    private let template: FaceTemplate
    private let looksAtEyesAlways: Bool
    private let expressionClassifier: ExpressionClassifier?
    private let ageGenderClassifier: AgeGenderClassifier?
    private let eyeContour: EyeContour?
    /// The last answer about a track, and for which face.
    private var answers: [Int: (shape: [Point3], quality: Float, time: Double)] = [:]
    /// When a track's eyes were looked at last, and how often.
    private var eyeLooks: [Int: (time: Double, count: Int)] = [:]

    /// Loads the networks that the settings want.
    init(
        core: InferenceCore,
        models: ModelFolder,
        template: FaceTemplate,
        settings: AnalysisSettings
    ) throws(FacesError) {
        self.template = template
        looksAtEyesAlways = settings.observations
        expressionClassifier =
            settings.wantsExpression ? try ExpressionClassifier(core: core, models: models) : nil
        ageGenderClassifier = settings.wantsAgeGender ? try AgeGenderClassifier(core: core, models: models) : nil
        eyeContour = settings.wantsEyes ? try EyeContour(core: core, models: models) : nil
    }

    /// Forgets what was asked about a track.
    func forget(_ track: Int) {
        answers[track] = nil
        eyeLooks[track] = nil
    }

    // MARK: - Questions

    /// Eyes, mouth and brows; nil for faces that do not show them.
    ///
    /// - Parameter eyesAreOpen: as the track is known; where they are not, the next look comes at once.
    func measures(
        of face: PerceivedFace,
        eyesAreOpen: Bool,
        at time: Double,
        in pyramid: Pyramid
    ) throws(FacesError) -> FaceMeasures? {
        guard let mesh = face.mesh, let pose = face.pose, let fit = face.fit, showsMuscles(face) else { return nil }
        var measures = FaceMeasures(
            poseFree: template.poseFree(mesh, fit: fit),
            template: template,
            pitch: pose.pitch
        )
        guard let eyeContour, abs(pose.yaw) < Limit.eyeYaw,
            isTimeForEyes(of: face.track, areOpen: eyesAreOpen, at: time)
        else { return measures }
        let eyes = nextEyes(of: face.track, pose: pose, at: time)
        try timings.measure(.eyes) { () throws(FacesError) in
            for eye in eyes {
                let openness = try eyeContour.openness(eye, of: mesh, in: pyramid)
                switch eye {
                case .left: measures.eyeOpennessLeft = openness
                case .right: measures.eyeOpennessRight = openness
                }
                // An open eye speaks for both.
                if !looksAtEyesAlways, let openness, openness > EyeHistory.narrow { break }
            }
        }
        return measures
    }

    /// What the face expresses.
    func expression(of face: PerceivedFace, track: Int, at time: Double, in pyramid: Pyramid) throws(FacesError)
        -> Answer
    {
        guard let mesh = face.mesh, let fit = face.fit, let quality = face.quality?.unifiedScore, isReadable(face)
        else {
            return .unreadable
        }
        guard let expressionClassifier else { return .known }
        let shape = template.poseFree(mesh, fit: fit)
        let last = answers[track]
        if let last, !Novelty.isNew(shape, quality: quality, time: time, after: last) { return .known }
        let scores = try timings.measure(.expression) { () throws(FacesError) in
            try expressionClassifier.scores(of: mesh, in: pyramid)
        }
        answers[track] = (shape, quality, time)
        return .new(scores, elapsed: last.map { time - $0.time } ?? .infinity)
    }

    /// Age and gender from this picture, if it is better than those that `shots` has.
    func shot(
        of face: PerceivedFace,
        better shots: BestShots,
        frame: FrameRecord,
        in pyramid: Pyramid
    ) throws(FacesError) -> BestShots.Shot? {
        guard let mesh = face.mesh, let quality = face.quality?.unifiedScore, isReadable(face),
            let pose = face.pose, pose.turn < Limit.shotTurn,
            shots.wants(quality: quality, at: frame.mediaTimeSeconds)
        else { return nil }
        var shot = BestShots.Shot(quality: quality, mediaTime: frame.mediaTimeSeconds, frameIndex: frame.index)
        if let ageGenderClassifier {
            shot.estimate = try timings.measure(.ageGender) { () throws(FacesError) in
                try ageGenderClassifier.estimate(mesh, in: pyramid)
            }
        }
        return shot
    }

    // MARK: - Parts

    private func isReadable(_ face: PerceivedFace) -> Bool {
        showsMuscles(face) && face.quality?.isReadable == true
    }

    private func showsMuscles(_ face: PerceivedFace) -> Bool {
        face.box.width >= Limit.muscleWidth && (face.mesh?.presence ?? 0) >= Limit.clearPresence
    }

    /// Observations tell of the eyes in every sample.
    ///
    /// For a track's events a look now and then will do, since a change has to last to be told.
    private func isTimeForEyes(of track: Int?, areOpen: Bool, at time: Double) -> Bool {
        guard !looksAtEyesAlways, let track, let last = eyeLooks[track] else { return true }
        return !areOpen || time - last.time >= Limit.eyeInterval
    }

    /// The eyes that can be measured; the first one takes turns.
    private func nextEyes(of track: Int?, pose: HeadPose, at time: Double) -> [EyeContour.Side] {
        // The far eye of a turned face is hidden by the nose or by foreshortening.
        var eyes: [EyeContour.Side] = []
        if pose.yaw < Limit.farEyeYaw { eyes.append(.left) }
        if pose.yaw > -Limit.farEyeYaw { eyes.append(.right) }
        guard let track else { return eyes }
        let count = eyeLooks[track]?.count ?? 0
        eyeLooks[track] = (time, count + 1)
        return eyes.count == 2 && count % 2 == 1 ? eyes.reversed() : eyes
    }
}
