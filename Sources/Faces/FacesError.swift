/// What went wrong with a perception model.
package struct FacesError: Error, Hashable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case findModel, verifyModel, loadModel, compileModel, infer, readParameters
    }

    package let operation: Operation
    /// The file or the model, as a person would name it.
    package let subject: String
    /// What is wrong and what to do about it.
    package let reason: String

    package init(_ operation: Operation, subject: String, reason: String) {
        self.operation = operation
        self.subject = subject
        self.reason = reason
    }

    package var description: String { "\(subject): \(reason)" }
}
