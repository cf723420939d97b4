package import Events

/// What the lines of a file tell of one face while it was there, in bounded memory.
package struct TrackStory: Sendable {
    /// Something that was said of the face.
    package struct Sentence: Sendable, Hashable {
        /// Seconds; nil for a sentence about the whole track.
        package let time: Double?
        package let text: String
        package let method: DescriptionRecord.Method
        package let question: String?
    }

    /// An expression from a moment on.
    package struct Span: Sendable, Hashable {
        package let start: Double
        package let end: Double
        package let label: ExpressionLabel
        /// Whether it is one that its method tells badly.
        package let isWeak: Bool
    }

    /// Where and when the face could be seen best, of the lines that say where it was.
    package struct Shot: Sendable, Hashable {
        package let time: Double
        package let frameIndex: Int
        package let box: BoundingBox
        /// 0–100; nil where it was not measured.
        package let quality: Double?
        /// Of the frame, as displayed.
        package let width: Int
        package let height: Int
    }

    /// One thing that was read off the face, and by what.
    package struct Attribute: Sendable, Hashable {
        package let name: AttributeName
        package let record: AttributeRecord
        /// When it was read, seconds; nil where it holds for the whole track.
        package let time: Double?
    }

    private static let sentenceLimit = 40
    private static let spanLimit = 1500
    private static let poseLimit = 300
    private static let analysisLimit = 200

    /// As the lines name it; `"t1"`.
    package let id: String
    package private(set) var firstTime: Double
    package private(set) var lastTime: Double
    /// Nil where the file ends before the track does.
    package private(set) var end: TrackEnd?
    /// Lines `face.observation`.
    package private(set) var observationLines = 0
    package private(set) var sentences: [Sentence] = []
    /// Sentences beyond those that are kept.
    package private(set) var sentencesLeftOut = 0
    package private(set) var bestShot: Shot?
    /// Answers of a describer by their status.
    package private(set) var analyses: [AnalysisRecord.Status: Int] = [:]
    private var poseSamples = Thinned<PoseRecord>(capacity: poseLimit)
    private var analysisSamples = Thinned<Double>(capacity: analysisLimit)
    private var labels: [(time: Double, label: ExpressionLabel, isWeak: Bool)] = []
    private var read: [AttributeName: [AttributeRecord.Method: Attribute]] = [:]

    init(id: String, time: Double) {
        self.id = id
        firstTime = time
        lastTime = time
    }

    /// Seconds from the first to the last time it was seen.
    package var duration: Double { max(0, lastTime - firstTime) }

    /// Poses, thinned evenly where there were many.
    package var poses: [PoseRecord] { poseSamples.elements }

    /// When a describer answered, seconds.
    package var analysisTimes: [Double] { analysisSamples.elements }

    /// Observations as the end of the track counts them, or else the lines.
    package var observations: Int { end?.observations ?? observationLines }

    // MARK: - Lines

    mutating func see(_ change: TrackChange) {
        place(change.frame, change.face)
        if let expression = change.expression { learn(expression, at: change.frame.mediaTimeSeconds) }
        learn(change.attributes, at: change.frame.mediaTimeSeconds)
        if let description = change.description { say(description, at: change.frame.mediaTimeSeconds) }
    }

    mutating func see(_ observation: FaceObservation) {
        observationLines += 1
        place(observation.frame, observation.face)
        learn(observation.attributes, at: observation.frame.mediaTimeSeconds)
    }

    mutating func see(_ analysis: FaceAnalysis) {
        let time = analysis.frame.mediaTimeSeconds
        analyses[analysis.analysis.status, default: 0] += 1
        // Seen before, when it was observed; a live source answers late, so this is no new moment.
        firstTime = min(firstTime, time)
        consider(analysis.frame, analysis.face)
        if analysis.analysis.status == .ok || analysis.analysis.status == .partial { analysisSamples.append(time) }
        learn(analysis.attributes, at: time)
        if let description = analysis.description { say(description, at: time) }
        if let expression = analysis.expression, expression.method == .vlm {
            learn(
                [
                    Self.expressionName: AttributeRecord(
                        expression.label,
                        confidence: expression.confidence,
                        confidenceKind: expression.confidenceKind,
                        method: .vlm
                    )
                ],
                at: time
            )
        }
    }

    mutating func see(_ end: TrackEnd) {
        self.end = end
        firstTime = end.firstMediaTimeSeconds
        lastTime = max(end.firstMediaTimeSeconds, end.lastMediaTimeSeconds)
        learn(end.summary.attributes, at: nil)
        if let description = end.summary.description { say(description, at: nil) }
    }

    // MARK: - Sums

    /// The expressions in the order of time, each until the next; empty where none was told.
    package var ribbon: [Span] {
        labels.indices.compactMap { index in
            let start = max(firstTime, labels[index].time)
            let end = min(lastTime, index + 1 < labels.count ? labels[index + 1].time : lastTime)
            guard end > start else { return nil }
            return Span(start: start, end: end, label: labels[index].label, isWeak: labels[index].isWeak)
        }
    }

    /// Label → share of the track's time, most first: as the end of the track tells, or else as the ribbon shows.
    package var shares: [(label: ExpressionLabel, share: Double)] {
        var shares = end?.summary.expressionShares ?? [:]
        if shares.isEmpty {
            let spans = ribbon
            let total = spans.reduce(0) { $0 + $1.end - $1.start }
            for span in spans where total > 0 { shares[span.label, default: 0] += (span.end - span.start) / total }
        }
        return shares.filter { $0.value > 0 }.map { (label: $0.key, share: $0.value) }
            .sorted { ($0.share, $1.label.rawValue) > ($1.share, $0.label.rawValue) }
    }

    /// The expression shown for most of the time.
    package var dominantExpression: ExpressionLabel? {
        end?.summary.dominantExpression ?? shares.first?.label ?? labels.last?.label
    }

    /// Everything that was read off the face, what holds for the whole track first, then by name and method.
    package var attributes: [Attribute] {
        read.values.flatMap(\.values).sorted {
            let first = ($0.time == nil ? 0 : 1, $0.name.rawValue, $0.record.method.rawValue)
            return first < ($1.time == nil ? 0 : 1, $1.name.rawValue, $1.record.method.rawValue)
        }
    }

    /// The name under which the expression that a language model told stands among the attributes.
    static let expressionName = AttributeName(rawValue: "expression") ?? .mouth

    // MARK: - Parts

    private mutating func place(_ frame: FrameRecord, _ face: FaceRecord) {
        firstTime = min(firstTime, frame.mediaTimeSeconds)
        lastTime = max(lastTime, frame.mediaTimeSeconds)
        if let pose = face.pose { poseSamples.append(pose) }
        consider(frame, face)
    }

    private mutating func consider(_ frame: FrameRecord, _ face: FaceRecord) {
        let shot = Shot(
            time: frame.mediaTimeSeconds,
            frameIndex: frame.index,
            box: face.boundingBox,
            quality: face.quality?.unifiedScore,
            width: frame.width,
            height: frame.height
        )
        guard let best = bestShot else {
            bestShot = shot
            return
        }
        let (new, old) = (shot.quality ?? -1, best.quality ?? -1)
        if new > old || (new == old && shot.box.width > best.box.width) { bestShot = shot }
    }

    private mutating func learn(_ expression: ExpressionRecord, at time: Double) {
        let isWeak = expression.weak == true
        if let last = labels.last, last.label == expression.label, last.isWeak == isWeak { return }
        guard labels.count < Self.spanLimit else { return }
        labels.append((time, expression.label, isWeak))
    }

    private mutating func learn(_ attributes: [AttributeName: AttributeRecord]?, at time: Double?) {
        for (name, record) in attributes ?? [:] {
            // What holds for the whole track is not replaced by a moment.
            if time != nil, let known = read[name]?[record.method], known.time == nil { continue }
            read[name, default: [:]][record.method] = Attribute(name: name, record: record, time: time)
        }
    }

    private mutating func say(_ description: DescriptionRecord, at time: Double?) {
        if let last = sentences.last, last.text == description.text, last.method == description.method, time != nil {
            return
        }
        // The sentence about the whole track comes last and is always kept.
        guard sentences.count < Self.sentenceLimit || time == nil else {
            sentencesLeftOut += 1
            return
        }
        sentences.append(
            Sentence(
                time: time,
                text: description.text,
                method: description.method,
                question: description.question
            )
        )
    }
}
