package import Events
package import Faces
internal import Imaging
package import Video

/// What to measure and to tell.
package struct AnalysisSettings: Sendable, Hashable {
    package var perception = Perception.Settings()
    /// Which attributes events carry; expression, eyes, mouth, age and gender each can be left out.
    package var attributes = AnalysisSettings.allAttributes
    package var wantsExpression = true
    /// A `face.observation` for each face in each sampled frame.
    package var observations = false
    /// The 468 points in each observation.
    package var landmarks = false
    /// Seconds between two `track.updated` of a track, at least.
    package var updateInterval: Double = 1

    package init() {}

    /// Attributes that perception measures.
    package static let allAttributes: Set<AttributeName> = [.eyes, .mouth, .apparentAgeYears, .apparentGender]
}

/// From the sampled frames of one source to its events: looks, remembers tracks, tells what changed, keeps the ledger.
///
/// Synchronous and without a clock: the same frames give the same events. Belongs to one thread at a time.
package final class SourceAnalysis {
    /// A face as the last frame showed it, for drawing and crops.
    package struct Sighting: Sendable {
        package var face: PerceivedFace
        package var trackID: String?
        package var ordinal: Int
        /// The expression, where it is confident.
        package var label: String?
    }

    package let settings: AnalysisSettings
    package private(set) var ledger = Ledger()
    /// The faces of the last frame.
    package private(set) var sightings: [Sighting] = []
    /// The last error of a network about a single face.
    package private(set) var lastFailure: FacesError?
    /// Where the time goes; kept only when asked for.
    private var timings = StageTimings()

    private let perception: Perception
    private let expressionClassifier: ExpressionClassifier?
    private let ageGenderClassifier: AgeGenderClassifier?
    private let eyeContour: EyeContour?
    private var sceneChange = SceneChange()
    private var tracks: [Int: TrackState] = [:]
    /// The last answer of the classifiers about a track, and for which face.
    private var answers: [Int: (shape: [Point3], quality: Float, time: Double)] = [:]
    /// When a track's eyes were looked at last, and how often.
    private var eyeLooks: [Int: (time: Double, count: Int)] = [:]
    /// Outcomes of faces whose track does not count yet.
    private var undecided: [Int: FaceOutcomes] = [:]
    private var born: Set<Int> = []

    private enum Limit {
        /// Pixels of the box from which a mesh shows what mouth and brows do.
        static let muscleWidth: Float = 32
        /// The mesh's logit from which its shape is the face's own and not mostly the network's idea of a face: sharp
        /// faces of 24 pixels and more have 20 to 60, faces of 10 to 25 pixels that were enlarged 5 to 18.
        static let clearPresence: Float = 18
        /// Degrees of yaw beyond which the far eye cannot be measured.
        static let farEyeYaw: Float = 28
        /// Seconds between two looks at a track's eyes.
        static let eyeInterval = 0.7
    }

    package init(core: InferenceCore, models: ModelFolder, settings: AnalysisSettings) throws(FacesError) {
        self.settings = settings
        perception = try Perception(core: core, models: models, settings: settings.perception)
        expressionClassifier =
            settings.wantsExpression
            ? try ExpressionClassifier(core: core, models: models) : nil
        let wantsAgeGender = !settings.attributes.isDisjoint(with: [.apparentAgeYears, .apparentGender])
        ageGenderClassifier = wantsAgeGender ? try AgeGenderClassifier(core: core, models: models) : nil
        let wantsEyes = settings.observations || settings.attributes.contains(.eyes)
        eyeContour = wantsEyes ? try EyeContour(core: core, models: models) : nil
    }

    /// Keeps the duration of every call from now on.
    package func measureTimings() {
        timings.isEnabled = true
        perception.timings.isEnabled = true
    }

    /// The durations of all stages.
    package var allTimings: StageTimings {
        var all = timings
        all.add(perception.timings)
        return all
    }

    // MARK: - Frames

    /// Looks at a sampled frame.
    ///
    /// - Returns: what to publish, in order.
    package func see(_ frame: VideoFrame) throws(FacesError) -> [Event.Payload] {
        let began = ContinuousClock.now
        defer { timings.add(ContinuousClock.now - began, to: .frame) }
        let time = frame.mediaTime
        guard let record = EventRecords.frame(frame) else { return [] }
        var payloads: [Event.Payload] = []
        let pyramid = Pyramid(frame.picture)
        if sceneChange.see(pyramid) { payloads += endTracks(.sceneCut) }

        let picture = try perception.look(at: pyramid, time: time)
        payloads += end(picture.update.ended, reason: .left)
        forget(picture.update.forgotten)

        // A track is told of before anything is told about it.
        var observations: [FaceObservation] = []
        let counting = born.union(picture.update.born)
        sightings = []
        var seen: Set<Int> = []
        for face in picture.faces {
            guard
                let faceRecord = EventRecords.face(
                    face,
                    size: frame.picture.size,
                    withLandmarks: settings.observations && settings.landmarks
                )
            else { continue }
            let shape = face.mesh.flatMap { mesh in face.fit.map { perception.template.poseFree(mesh, fit: $0) } }
            let measures = try shape.flatMap { shape throws(FacesError) in
                try measure(face, shape, at: time, in: pyramid)
            }
            let (outcome, scores) = study(
                face,
                record: faceRecord,
                shape: shape,
                measures: measures,
                frame: record,
                in: pyramid
            )
            count(outcome, of: face.track)
            if let id = face.track { seen.insert(id) }
            let trackID = face.track.flatMap { counting.contains($0) ? tracks[$0]?.id : nil }
            if settings.observations {
                observations.append(
                    FaceObservation(
                        trackID: trackID,
                        frame: record,
                        face: faceRecord,
                        measures: measures.map(EventRecords.measures),
                        actionUnits: measures.map(EventRecords.actionUnits),
                        expression: scores.map { EventRecords.expression($0) }
                    )
                )
            }
            remember(face, trackID: trackID)
        }
        for id in picture.update.born { payloads += start(id) }
        payloads += observations.map { .faceObservation($0) }
        payloads += updates(of: seen, time: time)
        return payloads
    }

    /// The timeline breaks or the stream is over: ends all tracks.
    ///
    /// Faces whose track never counted become counted as rejected, unless the stream was too short for a birth.
    package func endTracks(_ reason: TrackEnd.Reason) -> [Event.Payload] {
        let update = perception.finish()
        var payloads: [Event.Payload] = []
        for id in update.born { payloads += start(id) }
        forget(update.forgotten)
        payloads += end(update.ended, reason: reason)
        sightings = []
        return payloads
    }

    /// A new epoch: other size or other time; nothing seen before is comparable.
    package func beginEpoch() -> [Event.Payload] {
        let payloads = endTracks(.epoch)
        sceneChange = SceneChange()
        return payloads
    }

    // MARK: - Faces

    /// Eyes, mouth and brows; nil for faces too small to show them.
    private func measure(
        _ face: PerceivedFace,
        _ shape: [Point3],
        at time: Double,
        in pyramid: Pyramid
    ) throws(FacesError) -> FaceMeasures? {
        guard let mesh = face.mesh, let pose = face.pose, showsMuscles(face) else { return nil }
        var measures = FaceMeasures(poseFree: shape, template: perception.template, pitch: pose.pitch)
        guard let eyeContour, abs(pose.yaw) < 60, isTimeForEyes(of: face.track, at: time) else { return measures }
        // The far eye of a turned face is hidden by the nose or by foreshortening.
        var eyes: [EyeContour.Side] = []
        if pose.yaw < Limit.farEyeYaw { eyes.append(.left) }
        if pose.yaw > -Limit.farEyeYaw { eyes.append(.right) }
        if let track = face.track {
            // An open eye speaks for both; they take turns.
            let count = eyeLooks[track]?.count ?? 0
            if eyes.count == 2, count % 2 == 1 { eyes.reverse() }
            eyeLooks[track] = (time, count + 1)
        }
        try timings.measure(.eyes) { () throws(FacesError) in
            for eye in eyes {
                let openness = try eyeContour.openness(eye, of: mesh, in: pyramid)
                switch eye {
                case .left: measures.eyeOpennessLeft = openness
                case .right: measures.eyeOpennessRight = openness
                }
                if !settings.observations, let openness, openness > EyeHistory.narrow { break }
            }
        }
        return measures
    }

    private func showsMuscles(_ face: PerceivedFace) -> Bool {
        face.box.width >= Limit.muscleWidth && (face.mesh?.presence ?? 0) >= Limit.clearPresence
    }

    /// Observations tell of the eyes in every sample.
    ///
    /// For a track's events a look now and then will do, since a change has to last to be told; where eyes were closed,
    /// the next look comes at once.
    private func isTimeForEyes(of track: Int?, at time: Double) -> Bool {
        guard !settings.observations, let track, let last = eyeLooks[track] else { return true }
        return time - last.time >= Limit.eyeInterval || tracks[track]?.appearance.eyes != .open
    }

    /// Asks the classifiers about a face, if it is good enough and shows anything new.
    private func study(
        _ face: PerceivedFace,
        record: FaceRecord,
        shape: [Point3]?,
        measures: FaceMeasures?,
        frame: FrameRecord,
        in pyramid: Pyramid
    ) -> (FaceOutcome, ExpressionScores?) {
        guard let id = face.track else { return (.rejected, nil) }
        if tracks[id] == nil { tracks[id] = TrackState(id: "t\(id)", time: frame.mediaTimeSeconds) }
        tracks[id]?.see(face, record: record, frame: frame, measures: measures)
        do {
            return try classify(face, shape: shape, track: id, frame: frame, in: pyramid)
        } catch {
            // One face's failure costs that face alone; the ledger tells how many there were.
            lastFailure = error
            return (.failed, nil)
        }
    }

    private func classify(
        _ face: PerceivedFace,
        shape: [Point3]?,
        track id: Int,
        frame: FrameRecord,
        in pyramid: Pyramid
    ) throws(FacesError) -> (FaceOutcome, ExpressionScores?) {
        let time = frame.mediaTimeSeconds
        guard let mesh = face.mesh, let shape, let quality = face.quality, quality.isReadable, showsMuscles(face)
        else { return (.rejected, nil) }
        try considerShot(id, mesh: mesh, pose: face.pose, quality: quality, frame: frame, in: pyramid)
        guard let expressionClassifier else { return (.reused, nil) }
        if let last = answers[id], !Novelty.isNew(shape, quality: quality.unifiedScore, time: time, after: last) {
            return (.reused, tracks[id]?.scores)
        }
        let scores = try timings.measure(.expression) { () throws(FacesError) in
            try expressionClassifier.scores(of: mesh, in: pyramid)
        }
        let elapsed = answers[id].map { time - $0.time } ?? .infinity
        answers[id] = (shape, quality.unifiedScore, time)
        tracks[id]?.learn(scores, at: time, elapsed: elapsed)
        tracks[id]?.analyses += 1
        return (.analysed, scores)
    }

    private func considerShot(
        _ id: Int,
        mesh: FaceMesh,
        pose: HeadPose?,
        quality: FaceQuality,
        frame: FrameRecord,
        in pyramid: Pyramid
    ) throws(FacesError) {
        guard let pose, pose.turn < 40,
            tracks[id]?.shots.wants(quality: quality.unifiedScore, at: frame.mediaTimeSeconds) == true
        else { return }
        var shot = BestShots.Shot(
            quality: quality.unifiedScore,
            mediaTime: frame.mediaTimeSeconds,
            frameIndex: frame.index
        )
        if let ageGenderClassifier {
            shot.estimate = try timings.measure(.ageGender) { () throws(FacesError) in
                try ageGenderClassifier.estimate(mesh, in: pyramid)
            }
        }
        tracks[id]?.shots.keep(shot)
    }

    private func remember(_ face: PerceivedFace, trackID: String?) {
        var sighting = Sighting(face: face, trackID: trackID, ordinal: face.track ?? 0)
        if let id = face.track, let state = tracks[id] {
            sighting.label = state.facts.expression?.rawValue
        }
        sightings.append(sighting)
    }

    // MARK: - Ledger

    private func count(_ outcome: FaceOutcome, of track: Int?) {
        ledger.facesObserved += 1
        guard let track, !born.contains(track) else {
            FaceOutcomes(outcome).add(to: &ledger)
            return
        }
        var waiting = undecided[track] ?? FaceOutcomes()
        waiting.add(outcome)
        undecided[track] = waiting
        ledger.facesPending += 1
    }

    /// A track that never counted: its faces were nothing to report.
    private func forget(_ ids: [Int]) {
        for id in ids {
            let outcomes = undecided.removeValue(forKey: id) ?? FaceOutcomes()
            ledger.facesPending -= outcomes.total
            ledger.facesRejectedQuality += outcomes.total
            tracks[id] = nil
            answers[id] = nil
            eyeLooks[id] = nil
        }
    }

    // MARK: - Track events

    private func start(_ id: Int) -> [Event.Payload] {
        born.insert(id)
        let outcomes = undecided.removeValue(forKey: id) ?? FaceOutcomes()
        ledger.facesPending -= outcomes.total
        outcomes.add(to: &ledger)
        guard let state = tracks[id], let change = change(state, changed: nil) else { return [] }
        ledger.tracksStarted += 1
        tracks[id]?.told = (state.appearance, state.lastTime)
        return [.trackStarted(change)]
    }

    private func updates(of seen: Set<Int>, time: Double) -> [Event.Payload] {
        var payloads: [Event.Payload] = []
        for id in seen.sorted() where born.contains(id) {
            guard let state = tracks[id], let told = state.told, time - told.time >= settings.updateInterval else {
                continue
            }
            let changes = state.changes
            guard !changes.isEmpty, let change = change(state, changed: changes) else { continue }
            tracks[id]?.told = (state.appearance, time)
            payloads.append(.trackUpdated(change))
        }
        return payloads
    }

    private func change(_ state: TrackState, changed: [TrackChange.Aspect]?) -> TrackChange? {
        guard let (frame, face) = state.last else { return nil }
        return TrackChange(
            trackID: state.id,
            frame: frame,
            face: face,
            changed: changed,
            expression: state.expressionRecord,
            attributes: attributes(of: state),
            description: DescriptionRecord(text: Sentence.compose(visible(state.facts)), method: .template),
            analysis: AnalysisRecord(status: .ok)
        )
    }

    private func end(_ ids: [Int], reason: TrackEnd.Reason) -> [Event.Payload] {
        var payloads: [Event.Payload] = []
        for id in ids.sorted() {
            guard let state = tracks.removeValue(forKey: id) else { continue }
            answers[id] = nil
            eyeLooks[id] = nil
            born.remove(id)
            if let event = state.end(
                reason: reason,
                attributes: attributes(of: state, atEnd: true),
                sentence: Sentence.compose(visible(state.summaryFacts))
            ) {
                ledger.tracksEnded += 1
                payloads.append(.trackEnded(event))
            }
        }
        return payloads
    }

    /// The attributes that are wanted and known.
    private func attributes(of state: TrackState, atEnd: Bool = false) -> [AttributeName: AttributeRecord]? {
        let records = state.attributeRecords(withStates: !atEnd).filter { settings.attributes.contains($0.key) }
        return records.isEmpty ? nil : records
    }

    /// A sentence says nothing that was switched off.
    private func visible(_ facts: Sentence.Facts) -> Sentence.Facts {
        var facts = facts
        if !settings.attributes.contains(.apparentAgeYears) { facts.years = nil }
        if !settings.attributes.contains(.apparentGender) { facts.gender = nil }
        if !settings.attributes.contains(.eyes) { facts.eyes = nil }
        if !settings.attributes.contains(.mouth) { facts.mouth = nil }
        return facts
    }
}
