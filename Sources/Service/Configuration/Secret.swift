/// A password, token or address that holds one: usable, but not printable.
///
/// Whatever prints, dumps or reflects it gets `‹redacted›`. It is not `Codable`, so it cannot slip into JSON either.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    package init(_ value: String) { self.value = value }

    /// The text itself, for the one place that needs it.
    package func reveal() -> String { value }

    package var description: String { Self.mask }
    package var debugDescription: String { Self.mask }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package static let mask = "‹redacted›"
}

/// Where a secret is kept: what the configuration says in place of the secret.
package enum SecretReference: Sendable, Hashable {
    /// A variable of the environment.
    case environment(String)
    /// A file that nobody else can read.
    case file(String)
    /// A file in the folder that systemd made for `LoadCredential=`.
    case credential(String)

    static let kind = "`env:NAME`, `file:/PATH` or `credential:NAME`"

    /// - Returns: nil unless `text` has one of the three forms.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = String(text[text.index(after: colon)...])
        let isName = !rest.isEmpty && rest.utf8.count <= 255
        switch text[..<colon] {
        case "env":
            guard isName, rest.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "_") }) else { return nil }
            self = .environment(rest)
        case "file":
            guard rest.hasPrefix("/"), !rest.unicodeScalars.contains(where: \.isUnprintable) else { return nil }
            self = .file(rest)
        case "credential":
            let allowed: (UInt8) -> Bool = { $0.isLetterOrDigit || "_.-".utf8.contains($0) }
            guard isName, rest.utf8.allSatisfy(allowed), !rest.hasPrefix(".") else { return nil }
            self = .credential(rest)
        default: return nil
        }
    }

    /// As the configuration has it.
    package var text: String {
        switch self {
        case .environment(let name): "env:\(name)"
        case .file(let path): "file:\(path)"
        case .credential(let name): "credential:\(name)"
        }
    }
}

extension UInt8 {
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isLetterOrDigit: Bool { isDigit || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
}

extension Unicode.Scalar {
    /// Whether a terminal could take it for more than a sign.
    var isUnprintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }
}
