/// Why the engine cannot answer: what was being done, what is wrong, what to do about it.
package struct EngineError: Error, Hashable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case startThreads = "cannot start computing"
        case openModel = "cannot use the model"
        case readImage = "cannot read the image"
        case buildPrompt = "cannot ask this"
        case answer = "no answer"
    }

    package enum Kind: Sendable, Hashable {
        /// The caller's wish or the model's files do not fit.
        case unusable
        /// The caller took the question back.
        case cancelled
        /// The time that the caller gave is over.
        case deadline
    }

    package let operation: Operation
    package let kind: Kind
    package let reason: String
    /// A sentence; empty where nothing is to be done.
    package let remedy: String

    package init(_ operation: Operation, kind: Kind = .unusable, reason: String, remedy: String = "") {
        self.operation = operation
        self.kind = kind
        self.reason = reason
        self.remedy = remedy
    }

    package var description: String {
        let text = "\(operation.rawValue): \(reason)"
        return remedy.isEmpty ? text : "\(text). \(remedy)"
    }

    /// Whether the same question may be answered another time.
    package var isRetryable: Bool { kind != .unusable }
}
