package import Events
package import FaceLLM

/// A face to be described, cut out at the moment that shows it best; the frame itself is gone by then.
package struct DescriptionRequest: Sendable, Hashable {
    /// Why a describer is asked.
    package enum Reason: Sendable, Hashable {
        /// Nothing is known of this track.
        case new
        /// Perception saw a lasting change since the last request.
        case changed([TrackChange.Aspect])
        /// The last answer has grown old.
        case refresh

        /// How much of the face looks other than when it was last asked about.
        var weight: Int {
            if case .changed(let aspects) = self { aspects.count } else { 0 }
        }
    }

    /// What perception knows of the face at that moment, of what was not switched off.
    package struct Facts: Sendable, Hashable {
        /// In the terms of a sentence: pose, eyes, mouth, and what is confident of age, gender and expression.
        package var sentence: Sentence.Facts
        /// The classifier's scores, smoothed over the track.
        package var expression: ExpressionRecord?

        package init(sentence: Sentence.Facts = .init(), expression: ExpressionRecord? = nil) {
            self.sentence = sentence
            self.expression = expression
        }
    }

    package var trackID: String
    /// The source's timeline that the frame belongs to.
    package var epoch = 0
    package var frame: FrameRecord
    package var face: FaceRecord
    /// The face with the margin that the model was trained with: a square, 448 pixels at most.
    package var picture: RGBImage
    /// The same face at other moments, with `picture` among them, in the order of time; empty where it is described by
    /// one picture.
    package var moments: [RGBImage] = []
    package var facts: Facts
    package var reason: Reason
    /// The `unified_score` of the shot, 0–100.
    package var quality: Float
    /// What the model said of this track last.
    package var previousDescription: String?
    /// The observations since the last request, for which the answer will stand.
    package var represents: DedupRecord.Represents?
    /// When the frame was taken, where the source tells.
    package var time: EventTime?
    /// When it began to wait.
    var queuedAt: ContinuousClock.Instant?

    package init(
        trackID: String,
        frame: FrameRecord,
        face: FaceRecord,
        picture: RGBImage,
        facts: Facts = .init(),
        reason: Reason,
        quality: Float
    ) {
        self.trackID = trackID
        self.frame = frame
        self.face = face
        self.picture = picture
        self.facts = facts
        self.reason = reason
        self.quality = quality
    }

    /// Seconds of the stream's time.
    package var mediaTime: Double { frame.mediaTimeSeconds }

    /// Why the describer is asked, as events tell it.
    package var dedup: DedupRecord {
        switch reason {
        case .new: DedupRecord(decision: .new, represents: represents)
        case .changed(let aspects):
            DedupRecord(
                decision: .refresh,
                reason: aspects.map(\.rawValue).joined(separator: "_") + "_changed",
                represents: represents
            )
        case .refresh: DedupRecord(decision: .refresh, reason: "interval", represents: represents)
        }
    }
}
