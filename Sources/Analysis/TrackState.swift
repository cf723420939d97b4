internal import Events
internal import Faces

/// What an analysis remembers of a face while it is there, in bounded memory.
struct TrackState: Sendable {
    /// What an event told last: the next one is due when something of it changed.
    struct Appearance: Sendable, Hashable {
        var expression: Expression?
        var sector: PoseSector?
        var eyes: EyesState?
        var mouth: MouthState?

        /// What differs from an earlier moment.
        func changes(since old: Appearance) -> [TrackChange.Aspect] {
            var aspects: [TrackChange.Aspect] = []
            if expression != old.expression { aspects.append(.expression) }
            if sector != old.sector { aspects.append(.pose) }
            if eyes != old.eyes { aspects.append(.eyes) }
            if mouth != old.mouth { aspects.append(.mouth) }
            return aspects
        }

        /// Takes over what was not known.
        mutating func learn(_ new: Appearance) {
            expression = expression ?? new.expression
            sector = sector ?? new.sector
            eyes = eyes ?? new.eyes
            mouth = mouth ?? new.mouth
        }
    }

    /// Seconds in which a new expression outweighs the old ones.
    private static let smoothing = 0.5
    /// By how much another expression has to be likelier to count.
    private static let margin: Float = 0.15
    /// Degrees of turn up to which an expression is worded: beyond, half of the face is guessed.
    private static let wordedTurn: Float = 30
    /// Seconds that a change of eyes or mouth has to last to be told.
    private static let hold = 0.3

    let id: String
    let firstTime: Double
    private(set) var lastTime: Double
    /// Where it was seen last.
    private(set) var last: (frame: FrameRecord, face: FaceRecord)?
    private(set) var observations = 0
    private(set) var analyses = 0

    private(set) var scores: ExpressionScores?
    private var expression = Debounced<Expression>(hold: hold)
    private var eyeHistory = EyeHistory()
    private var eyes = Debounced<EyesState>(hold: hold)
    private var mouth = Debounced<MouthState>(hold: hold)
    private var lastMouth: MouthOpening?
    private var sector = Debounced<PoseSector>(hold: hold)
    private(set) var poses = PoseStatistics()
    private var lastPose: HeadPose?
    /// The highest smoothed score of each expression.
    private var highest = [Float](repeating: 0, count: Expression.allCases.count)
    private var seconds = [Double](repeating: 0, count: Expression.allCases.count)
    var shots = BestShots()

    var told: (appearance: Appearance, time: Double)?

    init(id: String, time: Double) {
        self.id = id
        firstTime = time
        lastTime = time
    }

    /// The face was seen in `frame`.
    mutating func see(_ face: PerceivedFace, record: FaceRecord, frame: FrameRecord, measures: FaceMeasures?) {
        let time = frame.mediaTimeSeconds
        let elapsed = max(0, time - lastTime)
        // A sample stands for the time since the last one; after a gap nobody knows what the face did.
        if let label = expression.value { seconds[label.index] += min(1, elapsed) }
        observations += 1
        lastTime = time
        last = (frame, record.withoutLandmarks)
        // Blurred and tiny faces give wild angles; they would widen the range for nothing.
        if let pose = face.pose, let quality = face.quality, quality.interEyeDistance >= 6 {
            poses.add(pose)
            lastPose = pose
            sector.see(PoseSector(pose, after: sector.value), at: time)
        }
        if let measures {
            if let state = eyeHistory.see(measures) { eyes.see(state, at: time) }
            let opening = measures.mouth(after: lastMouth)
            lastMouth = opening
            if let state = MouthState(rawValue: opening.rawValue) { mouth.see(state, at: time) }
        }
    }

    /// The classifiers answered at `time`, `elapsed` seconds after their last answer.
    mutating func learn(_ new: ExpressionScores, at time: Double, elapsed: Double) {
        analyses += 1
        let share = Float(min(1, max(0.2, elapsed / TrackState.smoothing)))
        scores = scores.map { $0.mixed(with: new, share: share) } ?? new
        guard let scores else { return }
        for index in highest.indices { highest[index] = max(highest[index], scores.values[index]) }
        // Two labels that are about as likely are no change of expression.
        let best = scores.best
        if let current = expression.value, scores[best] < scores[current] + TrackState.margin {
            expression.see(current, at: time)
        } else {
            expression.see(best, at: time)
        }
    }

    var appearance: Appearance {
        Appearance(expression: expression.value, sector: sector.value, eyes: eyes.value, mouth: mouth.value)
    }

    /// What differs from the last event.
    var changes: [TrackChange.Aspect] {
        told.map { appearance.changes(since: $0.appearance) } ?? []
    }

    /// The share of the track's time that each expression had, most first.
    var expressionShares: [(expression: Expression, share: Double)] {
        let total = seconds.reduce(0, +)
        guard total > 0 else { return expression.value.map { [($0, 1)] } ?? [] }
        return Expression.allCases.map { ($0, seconds[$0.index] / total) }.filter { $0.1 > 0 }
            .sorted { ($0.1, $1.0.rawValue) > ($1.1, $0.0.rawValue) }
    }

    /// What a sentence about this moment may say.
    var facts: Sentence.Facts {
        var facts = personFacts
        facts.pose = lastPose
        facts.eyes = eyes.value
        facts.mouth = mouth.value
        if let label = expression.value, let scores, !label.isWeak, scores[label] >= 0.45,
            (lastPose?.turn ?? 0) < TrackState.wordedTurn
        {
            facts.expression = label
        }
        return facts
    }

    /// What a sentence about the whole track may say.
    var summaryFacts: Sentence.Facts {
        var facts = personFacts
        facts.pose = poses.median
        if let top = expressionShares.first, top.share >= 0.5, !top.expression.isWeak, hasBeenSure(of: top.expression),
            (poses.median?.turn ?? 0) < TrackState.wordedTurn
        {
            facts.expression = top.expression
        }
        return facts
    }

    /// Whether the classifier was ever confident of `expression`.
    private func hasBeenSure(of expression: Expression) -> Bool { highest[expression.index] >= 0.45 }

    private var personFacts: Sentence.Facts {
        var facts = Sentence.Facts()
        guard let estimate = shots.estimate else { return facts }
        if estimate.spread < 20 { facts.years = estimate.years }
        if estimate.probabilityOfMale >= 0.8 { facts.gender = .male }
        if estimate.probabilityOfMale <= 0.2 { facts.gender = .female }
        return facts
    }
}
