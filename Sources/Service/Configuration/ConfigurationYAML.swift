internal import Yams

/// From the bytes of a file to nodes with places; whatever is in the file, it ends soon and without a trap.
enum ConfigurationYAML {
    /// Bytes of a file.
    static let longest = 1 << 20
    /// Aliases multiply what a file says: few are let in, and only in files of a size that people write.
    static let mostAliases = 16
    static let longestWithAliases = 1 << 16
    /// With aliases expanded.
    private static let mostNodes = 100_000
    private static let deepest = 32
    private static let mostDuplicates = 20
    /// Marks a key that the same mapping has a second time; the file itself cannot contain it (it is refused).
    static let duplicateMark: Character = "\u{E000}"

    /// - Returns: nil for a file without content.
    static func parse(_ bytes: [UInt8]) throws(ConfigurationProblem) -> ConfigurationNode? {
        guard bytes.count <= longest else {
            throw problem("the file has \(bytes.count) bytes; \(longest) are allowed: is it the right file?")
        }
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            throw problem("this line is not UTF-8 text; save the file as UTF-8", bad + 1)
        }
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Array.init)
        try check(lines)
        for _ in 0...mostDuplicates {
            do {
                var string = String.UnicodeScalarView()
                for (index, line) in lines.enumerated() {
                    if index > 0 { string.append("\n") }
                    string.append(contentsOf: line)
                }
                // The basic resolver leaves all scalars texts: what they mean depends on the key.
                guard let root = try Yams.compose(yaml: String(string), .basic) else { return nil }
                var count = 0
                return try node(root, depth: 0, count: &count)
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                // Marked, and told by whoever reads the mapping, with all other errors.
                let (row, column) = (context.mark.line - 1, context.mark.column - 1)
                guard lines.indices.contains(row), lines[row].indices.contains(column),
                    lines[row][column].value != duplicateMark.unicodeScalars.first?.value
                else { throw problem("a mapping has the same key twice", row + 1, column + 1) }
                let isQuoted = "\"'".unicodeScalars.contains(lines[row][column])
                lines[row].insert(contentsOf: duplicateMark.unicodeScalars, at: column + (isQuoted ? 1 : 0))
            } catch let error as YamlError {
                throw problem(error)
            } catch let error as ConfigurationProblem {
                throw error
            } catch {
                throw problem("the file cannot be read as YAML")
            }
        }
        throw problem("more than \(mostDuplicates) keys are given twice")
    }

    // MARK: - Before parsing

    private static func check(_ lines: [[Unicode.Scalar]]) throws(ConfigurationProblem) {
        var aliases = 0
        var size = 0
        for (row, line) in lines.enumerated() {
            size += line.count
            let indentation = line.prefix { $0 == " " || $0 == "\t" }
            if let tab = indentation.firstIndex(of: "\t"), indentation.count < line.count,
                line[indentation.count] != "#", line[indentation.count] != "\r"
            {
                throw problem("a tab indents this line; YAML allows spaces only", row + 1, tab + 1)
            }
            for (column, scalar) in line.enumerated() {
                let isLineEnd = scalar == "\r" && column == line.count - 1
                if scalar != "\t", !isLineEnd, isRefused(scalar) {
                    let number = String(scalar.value, radix: 16, uppercase: true)
                    throw problem("the character U+\(number) is not allowed; remove it", row + 1, column + 1)
                }
            }
            aliases += aliasCount(line)
            if aliases > mostAliases || aliases > 0 && size > longestWithAliases {
                throw problem(
                    "aliases (*name) are allowed \(mostAliases) times, in files of up to \(longestWithAliases) bytes; "
                        + "write the values out",
                    row + 1
                )
            }
        }
    }

    /// Control characters, YAML's other line breaks, and signs that nobody types.
    private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028, 0x2029, 0xE000...0xF8FF, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    /// What could be an alias; rather one too many than one missed.
    private static func aliasCount(_ line: [Unicode.Scalar]) -> Int {
        var count = 0
        var hasQuote = false
        var previous: Unicode.Scalar = " "
        for (index, scalar) in line.enumerated() {
            if scalar == "#", previous == " ", !hasQuote { break }
            if scalar == "\"" || scalar == "'" { hasQuote = true }
            if scalar == "*", " \t[{,:-?".unicodeScalars.contains(previous), index + 1 < line.count,
                line[index + 1] != " "
            {
                count += 1
            }
            previous = scalar == "\t" ? " " : scalar
        }
        return count
    }

    // MARK: - After parsing

    private static func node(_ node: Node, depth: Int, count: inout Int) throws -> ConfigurationNode {
        let origin = origin(node)
        count += 1
        guard count <= mostNodes else {
            throw ConfigurationProblem(origin, "", "there are more than \(mostNodes) values, aliases included")
        }
        guard depth <= deepest else {
            throw ConfigurationProblem(origin, "", "values are nested more than \(deepest) levels deep")
        }
        // With the basic resolver every node without a tag of its own gets one of these.
        let tag = node.tag.description
        guard ["str", "seq", "map"].contains(where: { tag == "tag:yaml.org,2002:\($0)" }) else {
            throw ConfigurationProblem(origin, "", "tags (!name) are not used here; remove it")
        }
        switch node {
        case .scalar(let scalar):
            return ConfigurationNode(
                content: .scalar(scalar.string, isQuoted: scalar.style != .plain),
                origin: origin
            )
        case .sequence(let sequence):
            let items = try sequence.map { try Self.node($0, depth: depth + 1, count: &count) }
            return ConfigurationNode(content: .list(items), origin: origin)
        case .mapping(let mapping):
            var pairs: [ConfigurationNode.Pair] = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw ConfigurationProblem(Self.origin(key), "", "a key must be a word")
                }
                let value = try Self.node(value, depth: depth + 1, count: &count)
                pairs.append(.init(name: name.string, origin: Self.origin(key), value: value))
            }
            return ConfigurationNode(content: .mapping(pairs), origin: origin)
        case .alias:
            throw ConfigurationProblem(origin, "", "this alias names nothing")
        }
    }

    private static func origin(_ node: Node) -> Origin {
        .file(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    // MARK: - Errors

    private static func problem(_ message: String, _ line: Int = 1, _ column: Int = 1) -> ConfigurationProblem {
        ConfigurationProblem(.file(line: line, column: column), "", message)
    }

    private static func problem(_ error: YamlError) -> ConfigurationProblem {
        switch error {
        case .scanner(let context, let text, let mark, _), .parser(let context, let text, let mark, _),
            .composer(let context, let text, let mark, _):
            let around = context.map { " (\($0.text) that begins at line \($0.mark.line))" } ?? ""
            return problem("not YAML: \(text)\(around)", mark.line, mark.column)
        case .reader(let text, let offset, _, let yaml):
            let lines = yaml.prefix(offset ?? 0).unicodeScalars.count { $0 == "\n" }
            return problem("not YAML: \(text)", lines + 1)
        default:
            return problem("not YAML")
        }
    }
}
