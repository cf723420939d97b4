/// An option of generation that cannot be used: which, what it is and what it may be.
package struct GenerationError: Error, Hashable, CustomStringConvertible {
    /// The option's name as in `SamplingOptions`, `RepetitionOptions` or `AnswerOptions`.
    package let option: String
    package let value: String
    /// The values that are allowed, in words.
    package let allowed: String

    package init(option: String, value: String, allowed: String) {
        self.option = option
        self.value = value
        self.allowed = allowed
    }

    package var description: String { "\(option) is \(value), allowed is \(allowed)" }

    static func check(_ isAllowed: Bool, _ option: String, _ value: some Any, _ allowed: String) throws(Self) {
        if !isAllowed { throw Self(option: option, value: "\(value)", allowed: allowed) }
    }
}
