internal import FaceLLM
internal import Glibc

/// The permissions of a socket's file.
struct ModeFormat: ValueFormat {
    var kind: String { "file mode in octal, `\"0600\"` to `\"0777\"`" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> Int? {
        if case .scalar(let text, _) = node.content, (3...4).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x37).contains($0) }), let mode = Int(text, radix: 8), mode <= 0o777,
            mode & 0o600 == 0o600
        {
            return mode
        }
        reading.refuse(node, path, expected: kind)
        return nil
    }

    func text(_ value: Int) -> String {
        let digits = String(value, radix: 8)
        return "\"\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)\""
    }
}

/// Where metrics and health are served.
package enum HTTPListener: Sendable, Hashable {
    /// The path of a socket.
    case unix(String)
    /// `127.0.0.1`, `[::1]` and `localhost` can be reached from this machine alone; any other address needs a token.
    case tcp(host: String, port: Int)

    /// Whether only this machine can reach it.
    package var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, let port): MetricsServer.Address.tcp(host: host, port: port).isLocal
        }
    }
}

struct HTTPListenerFormat: ValueFormat {
    var kind: String {
        "`unix:/PATH`, `127.0.0.1:PORT`, `[::1]:PORT`, `localhost:PORT`, or with `http.token_from` any `ADDRESS:PORT`"
    }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> HTTPListener? {
        guard case .scalar(let text, _) = node.content else {
            reading.refuse(node, path, expected: kind)
            return nil
        }
        if text.hasPrefix("unix:/"), !text.unicodeScalars.contains(where: \.isUnprintable) {
            return .unix(String(text.dropFirst("unix:".count)))
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65535).contains(port), case let host = String(text[..<colon]),
            host == "localhost" || Self.isAddress(host)
        else {
            reading.refuse(node, path, expected: kind)
            return nil
        }
        return .tcp(host: host, port: port)
    }

    /// `192.0.2.1` or `[2001:db8::1]`; a name could come to mean another address.
    private static func isAddress(_ host: String) -> Bool {
        var four = in_addr(), six = in6_addr()
        if host.hasPrefix("["), host.hasSuffix("]") {
            return inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &six) == 1
        }
        return inet_pton(AF_INET, host, &four) == 1
    }

    func text(_ value: HTTPListener) -> String {
        switch value {
        case .unix(let path): YAMLText.scalar("unix:\(path)")
        case .tcp(let host, let port): YAMLText.scalar("\(host):\(port)")
        }
    }
}

/// What is found here may be the secret itself, put in the wrong place; it is never repeated.
struct SecretReferenceFormat: ValueFormat {
    var kind: String { SecretReference.kind }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> SecretReference? {
        if case .scalar(let text, _) = node.content, let reference = SecretReference(text) { return reference }
        reading.refuse(node, path, "expected \(kind); the secret itself does not belong here")
        return nil
    }

    func text(_ value: SecretReference) -> String { YAMLText.scalar(value.text) }
}

struct SourceAddressFormat: ValueFormat {
    var kind: String { SourceAddress.kind }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> SourceAddress? {
        guard case .scalar(let text, _) = node.content, !node.isEmpty else {
            reading.refuse(node, path, "expected \(kind)")
            return nil
        }
        do {
            return try SourceAddress(text)
        } catch {
            reading.refuse(node, path, error.description)
            return nil
        }
    }

    func text(_ value: SourceAddress) -> String { YAMLText.scalar(value.description) }
}

/// Small faces in big pictures.
package enum TilingSetting: Sendable, Hashable {
    case auto
    case off
    /// Squares along the longer side.
    case across(Int)
}

struct TilingFormat: ValueFormat {
    var kind: String { "`auto`, `off`, or 1 to 16" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> TilingSetting? {
        if case .scalar(let text, _) = node.content {
            if text == "auto" { return .auto }
            if text == "off" { return .off }
            if let count = Int(text), (1...16).contains(count) { return .across(count) }
        }
        reading.refuse(node, path, expected: kind)
        return nil
    }

    func text(_ value: TilingSetting) -> String {
        switch value {
        case .auto: "auto"
        case .off: "off"
        case .across(let count): "\(count)"
        }
    }
}

/// The name of a trained question, or a text of one's own.
struct QuestionFormat: ValueFormat {
    static let names = FaceQuestion.allCases.map(\.rawValue)

    var kind: String { "\(Self.names.map { "`\($0)`" }.joined(separator: ", ")), or a question of your own" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> String? {
        guard let text = TextFormat.prose.read(node, path, &reading) else { return nil }
        if Self.names.contains(text) { return text }
        // One word is no question, but a name with a slip in it.
        if !text.contains(" ") {
            let hint = EditDistance.nearest(to: text, among: Self.names).map { "; did you mean \($0)?" } ?? ""
            reading.refuse(node, path, "expected \(kind), found \(node.found)\(hint)")
            return nil
        }
        return text
    }

    func text(_ value: String) -> String { YAMLText.scalar(value) }
}
