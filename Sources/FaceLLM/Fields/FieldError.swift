/// What is wrong with a field or a rule that a user defined.
///
/// A retry with the same definitions does not help.
package struct FieldError: Error, Hashable, CustomStringConvertible {
    /// The field or rule by its name, or by its place (`fields[2]`) where it has none; empty for the whole file.
    package let subject: String
    /// The key within it, for example `options[1].phrase`; empty when all of it is meant.
    package let key: String
    package let expected: String
    package let found: String
    /// What the user can do about it, a sentence.
    package let remedy: String

    /// Names and values from outside are shortened and freed of control characters.
    package init(_ subject: String, key: String = "", expected: String, found: String, remedy: String) {
        self.subject = CheckpointError.printable(subject)
        self.key = CheckpointError.printable(key)
        self.expected = expected
        self.found = CheckpointError.printable(found)
        self.remedy = remedy
    }

    package var description: String {
        let place = [subject, key].filter { !$0.isEmpty }.joined(separator: ", ")
        return "\(place.isEmpty ? "field definitions" : place): expected \(expected), found \(found). \(remedy)"
    }
}
