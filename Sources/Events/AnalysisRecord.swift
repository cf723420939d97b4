/// How the work of a describer went: `analysis`.
package struct AnalysisRecord: Sendable, Hashable, Codable {
    /// Where the work stands.
    package let status: Status
    /// Why, in one lower-case word, where the status alone does not say it; `"queue_full"`.
    package let reason: String?
    /// Time spent waiting for the describer, milliseconds, ≥ 0; absent in stable lines; `12.5`.
    package private(set) var queueMilliseconds: Double?
    /// Time the describer took, milliseconds, ≥ 0; absent in stable lines; `1180.2`.
    ///
    /// Of faces that are described together it overlaps: each waits for the pictures of the others too.
    package private(set) var durationMilliseconds: Double?
    /// Tokens read by the language model, image tokens included, ≥ 0; `287`.
    package let inputTokens: Int?
    /// Tokens written by the language model, ≥ 0; `24`.
    package let outputTokens: Int?
    /// Answers that a rule of consistency changed or took away, with the name of the rule, `expression` among them;
    /// `{"mouth": "mask_hides_mouth"}`.
    package let rules: [AttributeName: String]?

    /// Where the work of a describer stands.
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// Waiting for the describer.
        case queued
        /// Answered in full.
        case ok
        /// Answered in part; what is absent was not answered.
        case partial
        /// An earlier answer holds for this face too.
        case reused
        /// Never asked: the queue was full or the run ended.
        case dropped
        /// The describer took too long.
        case timeout
        /// The describer failed.
        case engineError = "engine_error"
    }

    package enum CodingKeys: String, CodingKey {
        case status
        case reason
        case queueMilliseconds = "queue_ms"
        case durationMilliseconds = "duration_ms"
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case rules
    }

    package init(
        status: Status,
        reason: String? = nil,
        queueMilliseconds: Double? = nil,
        durationMilliseconds: Double? = nil,
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        rules: [AttributeName: String]? = nil
    ) {
        self.status = status
        self.reason = reason
        self.queueMilliseconds = NumberFormat.tenths(queueMilliseconds)
        self.durationMilliseconds = NumberFormat.tenths(durationMilliseconds)
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.rules = rules?.isEmpty == true ? nil : rules
    }

    /// The same without what differs between two runs.
    func withoutDurations() -> AnalysisRecord {
        var copy = self
        copy.queueMilliseconds = nil
        copy.durationMilliseconds = nil
        return copy
    }
}

/// Whether the describer was asked at all, and for how many faces its answer stands: `dedup`.
package struct DedupRecord: Sendable, Hashable, Codable {
    /// What the deduplicator decided.
    package let decision: Decision
    /// Why, in one lower-case word; `"pose_changed"`.
    package let reason: String?
    /// Distance to what was described last, ≥ 0, the scale being the method's; `0.127`.
    package let distance: Double?
    /// The observations for which the answer stands.
    package let represents: Represents?

    /// What the deduplicator decided.
    package enum Decision: String, Sendable, Hashable, Codable, CaseIterable {
        /// Nothing was known of this track.
        case new
        /// Enough has changed, or enough time has passed, to ask again.
        case refresh
        /// The earlier answer still holds.
        case reused
    }

    /// A stretch of observations of one track.
    package struct Represents: Sendable, Hashable, Codable {
        /// How many, ≥ 1; `48`.
        package let observations: Int
        /// Media time of the first, seconds; `10.0`.
        package let firstMediaTimeSeconds: Double
        /// Media time of the last, seconds, not before the first; `14.72`.
        package let lastMediaTimeSeconds: Double

        package enum CodingKeys: String, CodingKey {
            case observations
            case firstMediaTimeSeconds = "first_media_time_s"
            case lastMediaTimeSeconds = "last_media_time_s"
        }

        /// Rounds the times; `nil` when one is not finite.
        package init?(observations: Int, firstMediaTimeSeconds: Double, lastMediaTimeSeconds: Double) {
            guard let first = NumberFormat.seconds(firstMediaTimeSeconds),
                let last = NumberFormat.seconds(lastMediaTimeSeconds)
            else { return nil }
            self.observations = observations
            self.firstMediaTimeSeconds = first
            self.lastMediaTimeSeconds = last
        }
    }

    package init(
        decision: Decision,
        reason: String? = nil,
        distance: Double? = nil,
        represents: Represents? = nil
    ) {
        self.decision = decision
        self.reason = reason
        self.distance = NumberFormat.ratio(distance)
        self.represents = represents
    }
}

/// A sentence about a face: `description`.
package struct DescriptionRecord: Sendable, Hashable, Codable {
    /// What was said, plain text; `"A woman with glasses looks to the left and smiles."`.
    package let text: String
    /// Language of `text`, BCP 47; `"en"`.
    package let language: String
    /// Who said it.
    package let method: Method
    /// What the language model was asked; absent for templates; `"Describe the facial expression."`.
    package let question: String?

    /// Who wrote a sentence.
    package enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        /// Put together here from measures and labels.
        case template
        /// The multimodal language model.
        case vlm
    }

    package init(text: String, language: String = "en", method: Method, question: String? = nil) {
        self.text = text
        self.language = language
        self.method = method
        self.question = question
    }
}
