/// What is wrong with a value, in words that repeat nothing secret.
package struct ValueError: Error, Hashable, CustomStringConvertible {
    package let description: String
}

/// What a value looks like in the file.
protocol ValueFormat: Sendable {
    associatedtype Value: Sendable & Equatable
    /// What may stand there, for documents and for "expected …".
    var kind: String { get }
    /// - Returns: nil after telling what is wrong.
    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> Value?
    /// As YAML on one line.
    func text(_ value: Value) -> String
}

struct IntegerFormat: ValueFormat {
    let range: ClosedRange<Int>

    var kind: String { "whole number, \(range.lowerBound) to \(range.upperBound)" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> Int? {
        if case .scalar(let text, false) = node.content, let value = Int(text), range.contains(value) { return value }
        reading.refuse(node, path, expected: kind)
        return nil
    }

    func text(_ value: Int) -> String { "\(value)" }
}

struct NumberFormat: ValueFormat {
    let range: ClosedRange<Double>

    var kind: String { "number, \(text(range.lowerBound)) to \(text(range.upperBound))" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> Double? {
        // `Double` would also take "nan", "infinity" and hexadecimal numbers.
        if case .scalar(let text, false) = node.content,
            text.utf8.allSatisfy({ $0.isDigit || "+-.eE".utf8.contains($0) }),
            let value = Double(text), range.contains(value)
        {
            return value
        }
        reading.refuse(node, path, expected: kind)
        return nil
    }

    func text(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

struct ToggleFormat: ValueFormat {
    var kind: String { "`true` or `false`" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> Bool? {
        if case .scalar(let text, false) = node.content {
            if text == "true" { return true }
            if text == "false" { return false }
        }
        reading.refuse(node, path, expected: kind)
        return nil
    }

    func text(_ value: Bool) -> String { "\(value)" }
}

/// One of the words of a vocabulary.
struct WordFormat<Word: RawRepresentable & CaseIterable & Equatable & Sendable>: ValueFormat
where Word.RawValue == String {
    var words: [Word] = Array(Word.allCases)

    var kind: String { words.map { "`\($0.rawValue)`" }.joined(separator: ", ") }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> Word? {
        let names = words.map(\.rawValue)
        if case .scalar(let text, _) = node.content {
            if let word = words.first(where: { $0.rawValue == text }) { return word }
            if let nearest = EditDistance.nearest(to: text, among: names) {
                reading.refuse(node, path, "expected \(kind), found \(node.found); did you mean \(nearest)?")
                return nil
            }
        }
        reading.refuse(node, path, expected: kind)
        return nil
    }

    func text(_ value: Word) -> String { value.rawValue }
}

/// A text that passes a check.
struct TextFormat: ValueFormat {
    let kind: String
    var longest = 4096
    let isAllowed: @Sendable (String) -> Bool

    static let path = TextFormat(kind: "path") { isPath($0) }
    static let absolutePath = TextFormat(kind: "absolute path") { $0.hasPrefix("/") && isPath($0) }
    static let name = TextFormat(kind: "name of letters, digits, `.`, `_` and `-`, at most 64", longest: 64) { text in
        text.utf8.first?.isLetterOrDigit == true
            && text.utf8.allSatisfy { $0.isLetterOrDigit || "._-".utf8.contains($0) }
    }
    /// Of a user or group; a number is an id.
    static let account = TextFormat(kind: "name or id", longest: 32) { text in
        !text.isEmpty && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { $0.isLetterOrDigit || "._-$".utf8.contains($0) }
    }
    static let prose = TextFormat(kind: "text of one line, at most 500 characters", longest: 500) { text in
        !text.isEmpty && !text.unicodeScalars.contains(where: \.isUnprintable)
    }

    private static func isPath(_ text: String) -> Bool {
        !text.isEmpty && !text.hasSuffix("/") && !text.unicodeScalars.contains(where: \.isUnprintable)
    }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> String? {
        if case .scalar(let text, _) = node.content, !node.isEmpty, text.unicodeScalars.count <= longest,
            isAllowed(text)
        {
            return text
        }
        reading.refuse(node, path, expected: kind)
        return nil
    }

    func text(_ value: String) -> String { YAMLText.scalar(value) }
}

/// A value, or a word for none.
struct OptionalFormat<Base: ValueFormat>: ValueFormat {
    let base: Base
    var none = "none"

    init(_ base: Base, none: String = "none") {
        self.base = base
        self.none = none
    }

    var kind: String { "\(base.kind), or `\(none)`" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> Base.Value?? {
        if case .scalar(none, false) = node.content { return .some(nil) }
        return base.read(node, path, &reading).map { .some($0) }
    }

    func text(_ value: Base.Value?) -> String { value.map(base.text) ?? none }
}

/// A list in one value; from the environment or the command line also with commas.
struct ListFormat<Element: ValueFormat>: ValueFormat {
    let element: Element
    let limit: Int

    init(_ element: Element, limit: Int = 256) {
        self.element = element
        self.limit = limit
    }

    var kind: String { "list of: \(element.kind)" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> [Element.Value]? {
        let items: [ConfigurationNode]
        switch node.content {
        case .list(let list): items = list
        case .scalar(let text, _) where !node.origin.isFile:
            items = text.split(separator: ",").map { item in
                let words = item.split(separator: " ", omittingEmptySubsequences: true)
                return ConfigurationNode(
                    content: .scalar(words.joined(separator: " "), isQuoted: false),
                    origin: node.origin
                )
            }
        default:
            reading.refuse(node, path, expected: "a list, `[]` for none")
            return nil
        }
        guard items.count <= limit else {
            reading.refuse(node, path, "expected at most \(limit) entries, found \(items.count)")
            return nil
        }
        var values: [Element.Value] = []
        for (index, item) in items.enumerated() {
            guard let value = element.read(item, "\(path)[\(index)]", &reading) else { continue }
            if values.contains(value) { reading.refuse(item, "\(path)[\(index)]", "this entry is there twice") }
            values.append(value)
        }
        return values.count == items.count ? values : nil
    }

    func text(_ value: [Element.Value]) -> String { "[\(value.map(element.text).joined(separator: ", "))]" }
}

extension Origin {
    var isFile: Bool { if case .file = self { true } else { false } }
}

enum YAMLText {
    /// A text that reads back as itself.
    static func scalar(_ text: String) -> String {
        let isPlain =
            text.utf8.allSatisfy { $0.isLetterOrDigit || "._/-".utf8.contains($0) }
            && (text.utf8.first.map { $0.isLetterOrDigit && !$0.isDigit || $0 == UInt8(ascii: "/") } ?? false)
        if isPlain, !["null", "none", "auto", "true", "false"].contains(text) { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
