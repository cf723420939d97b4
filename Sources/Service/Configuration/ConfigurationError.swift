internal import Video

/// Where a value of the configuration comes from.
package enum Origin: Sendable, Hashable {
    /// What the program does when nobody says anything.
    case standard
    /// A variable that systemd sets; weaker than the file.
    case system(String)
    /// From 1, columns in characters.
    case file(line: Int, column: Int)
    case environment(String)
    /// By the key's path.
    case flag(String)

    /// For comments behind a value.
    package var text: String {
        switch self {
        case .standard: "default"
        case .system(let name): "systemd, \(name)"
        case .file(let line, _): "file, line \(line)"
        case .environment(let name): "environment, \(name)"
        case .flag(let path): "command line, \(path)"
        }
    }

    /// Outside of the file first, then from top to bottom; in a line from left to right.
    fileprivate var order: Int {
        if case .file(let line, let column) = self { line << 32 | column } else { 0 }
    }
}

/// One thing that is wrong with a configuration.
package struct ConfigurationProblem: Error, Hashable {
    package let origin: Origin
    /// `sources[1].sample_fps`; empty for the file as a whole.
    package let path: String
    /// What is wrong and what to do about it, without secrets.
    package let message: String

    package init(_ origin: Origin, _ path: String, _ message: String) {
        self.origin = origin
        self.path = path
        self.message = message
    }

    /// - Parameter file: the name that lines are told of.
    package func text(file: String) -> String {
        let place: String
        switch origin {
        case .file(let line, let column): place = "\(file):\(line):\(column)"
        case .environment(let name), .system(let name): place = "environment \(name)"
        case .flag(let path): place = "command line \(path)"
        case .standard: place = file
        }
        return path.isEmpty ? "\(place): \(message)" : "\(place): \(path): \(message)"
    }
}

/// Everything that is wrong with a configuration, from the top of the file to its end.
///
/// A retry without a change does not help; the exit status is 2.
package struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    package let file: String
    package let problems: [ConfigurationProblem]

    init(file: String, problems: [ConfigurationProblem]) {
        self.file = file
        self.problems = problems.enumerated()
            .sorted { ($0.element.origin.order, $0.offset) < ($1.element.origin.order, $1.offset) }
            .map(\.element)
    }

    /// One problem a line.
    package var description: String { problems.map { $0.text(file: file) }.joined(separator: "\n") }
}

/// Text from outside, fit for a message: one line, not too long, no credentials of URLs.
func printable(_ text: String, longest: Int = 60) -> String {
    var result = String.UnicodeScalarView()
    for scalar in Redaction.redact(String(text.prefix(1000))).unicodeScalars {
        if result.count == longest { return String(result) + "…" }
        result.append(scalar.isUnprintable ? "?" : scalar)
    }
    return String(result)
}
