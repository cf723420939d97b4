package import Events
package import Faces
internal import Imaging
package import Video

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
        /// Its track at this moment; nil where there is none yet.
        var state: State?

        /// What a describer is asked by, and what it is told.
        struct State: Sendable {
            var id: String
            var face: FaceRecord
            var appearance: TrackState.Appearance
            var facts: DescriptionRequest.Facts
        }
    }

    package let settings: AnalysisSettings
    package private(set) var ledger = Ledger()
    /// The faces of the last frame.
    package private(set) var sightings: [Sighting] = []
    /// The last error of a network about a single face.
    package private(set) var lastFailure: FacesError?
    /// Milliseconds of whole frames.
    private var timings = StageTimings()

    private let perception: Perception
    private let examiner: FaceExaminer
    private var sceneChange = SceneChange()
    private var tracks: [Int: TrackState] = [:]
    /// Outcomes of faces whose track does not count yet.
    private var undecided: [Int: FaceOutcomes] = [:]
    private var born: Set<Int> = []
    private let tracksBefore: Int
    /// The highest number that a track got, told of or not.
    package private(set) var lastTrack: Int

    /// - Parameter tracksBefore: numbers that an earlier analysis of the same source used up; none is given twice.
    package init(
        core: InferenceCore,
        models: ModelFolder,
        settings: AnalysisSettings,
        tracksBefore: Int = 0
    ) throws(FacesError) {
        self.settings = settings
        self.tracksBefore = tracksBefore
        lastTrack = tracksBefore
        perception = try Perception(core: core, models: models, settings: settings.perception)
        examiner = try FaceExaminer(core: core, models: models, template: perception.template, settings: settings)
    }

    /// The tracks that are being followed, told of or not, by the names that events give them.
    package var followed: Set<String> { Set(tracks.values.map(\.id)) }

    /// Keeps the duration of every call from now on.
    package func measureTimings() {
        timings.isEnabled = true
        perception.timings.isEnabled = true
        examiner.timings.isEnabled = true
    }

    /// The durations of all stages.
    package var allTimings: StageTimings {
        var all = timings
        all.add(perception.timings)
        all.add(examiner.timings)
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
            let measures = try examiner.measures(
                of: face,
                eyesAreOpen: face.track.flatMap { tracks[$0]?.appearance.eyes } == .open,
                at: time,
                in: pyramid
            )
            let (outcome, scores) = study(face, record: faceRecord, measures: measures, frame: record, in: pyramid)
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
            remember(face, trackID: trackID, record: faceRecord)
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

    /// Adds a face to its track, with what the classifiers say of it.
    private func study(
        _ face: PerceivedFace,
        record: FaceRecord,
        measures: FaceMeasures?,
        frame: FrameRecord,
        in pyramid: Pyramid
    ) -> (FaceOutcome, ExpressionScores?) {
        guard let id = face.track else { return (.rejected, nil) }
        let time = frame.mediaTimeSeconds
        var state = tracks[id] ?? TrackState(id: "t\(tracksBefore + id)", time: time)
        lastTrack = max(lastTrack, tracksBefore + id)
        defer { tracks[id] = state }
        state.see(face, record: record, frame: frame, measures: measures)
        do throws(FacesError) {
            if let shot = try examiner.shot(of: face, better: state.shots, frame: frame, in: pyramid) {
                state.shots.keep(shot)
            }
            switch try examiner.expression(of: face, track: id, at: time, in: pyramid) {
            case .unreadable: return (.rejected, nil)
            case .known: return (.reused, state.scores)
            case .new(let scores, let elapsed):
                state.learn(scores, at: time, elapsed: elapsed)
                return (.analysed, scores)
            }
        } catch {
            // One face's failure costs that face alone; the ledger tells how many there were.
            lastFailure = error
            return (.failed, nil)
        }
    }

    private func remember(_ face: PerceivedFace, trackID: String?, record: FaceRecord) {
        var sighting = Sighting(face: face, trackID: trackID, ordinal: face.track ?? 0)
        if let id = face.track, let state = tracks[id] {
            let facts = state.facts
            sighting.label = facts.expression?.rawValue
            sighting.state = Sighting.State(
                id: state.id,
                face: record.withoutLandmarks,
                appearance: state.appearance,
                facts: DescriptionRequest.Facts(sentence: visible(facts), expression: state.expressionRecord)
            )
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
            examiner.forget(id)
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
            examiner.forget(id)
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
