package import Events

/// Describes pictures of faces: the language model here, or a server that has one.
///
/// An implementation works on a queue or a connection of its own and never blocks the cooperative pool. It does not
/// throw: what failed is told in the answer. When its task is cancelled it answers within a moment, with whatever it
/// has by then; nobody waits for anything else.
package protocol FaceDescriber: Sendable {
    /// What its answers are made with; entered in the table of provenance once, at the end of a run.
    var provenance: Provenance { get }

    /// Faces that it answers about sooner together than one after the other, at most; 1 where that gains nothing.
    var mostTogether: Int { get }

    /// Answers about one face.
    func describe(_ request: DescriptionRequest) async -> DescriptionAnswer

    /// Answers about several faces, by the order of the requests; what fails for one is told in its answer alone.
    ///
    /// The answers are those of `describe`, asked one after the other. All are ready when the last one is.
    func describe(_ requests: [DescriptionRequest]) async -> [DescriptionAnswer]
}

extension FaceDescriber {
    package var mostTogether: Int { 1 }

    package func describe(_ requests: [DescriptionRequest]) async -> [DescriptionAnswer] {
        var answers: [DescriptionAnswer] = []
        for request in requests { answers.append(await describe(request)) }
        return answers
    }
}

/// What a describer said of one face.
package struct DescriptionAnswer: Sendable, Hashable {
    /// `ok`, `partial`, `timeout` or `engineError`.
    package var status: AnalysisRecord.Status
    /// Why, in one lower-case word, where the status alone does not say it; `"out_of_memory"`.
    package var reason: String?
    package var expression: ExpressionRecord?
    /// The attributes that were asked for and answered.
    package var attributes: [AttributeName: AttributeRecord] = [:]
    package var description: DescriptionRecord?
    /// Answers that a rule of consistency changed or took away, with the name of the rule.
    package var rules: [AttributeName: String] = [:]
    /// Tokens read, image tokens included.
    package var inputTokens: Int?
    /// Tokens written.
    package var outputTokens: Int?
    /// How long the describer worked on it; nil leaves the measuring to the one who asked.
    package var duration: Duration?

    package init(status: AnalysisRecord.Status, reason: String? = nil) {
        self.status = status
        self.reason = reason
    }

    /// Whether anything was answered.
    var isAnswered: Bool { status == .ok || status == .partial }
}
