import Analysis
import ArgumentParser
import Events
import Faces
import Foundation
import Video

/// The value of `--tiling`.
struct TilingArgument: ExpressibleByArgument {
    var mode: Tiling.Mode

    init(mode: Tiling.Mode) {
        self.mode = mode
    }

    init?(argument: String) {
        switch argument {
        case "auto": mode = .auto
        case "off": mode = .off
        default:
            guard let count = Int(argument), (1...16).contains(count) else { return nil }
            mode = .across(count)
        }
    }

    var defaultValueDescription: String {
        switch mode {
        case .auto: "auto"
        case .off: "off"
        case .across(let count): "\(count)"
        }
    }
}

/// The value of `--attributes`.
struct AttributeList: ExpressibleByArgument {
    var names: Set<AttributeName>
    var wantsExpression: Bool

    static let all = AttributeList(names: AnalysisSettings.allAttributes, wantsExpression: true)

    /// What can be asked for, for messages.
    static let names = (["expression"] + AnalysisSettings.allAttributes.map(\.rawValue).sorted()).joined(
        separator: ", "
    )

    init(names: Set<AttributeName>, wantsExpression: Bool) {
        self.names = names
        self.wantsExpression = wantsExpression
    }

    init?(argument: String) {
        names = []
        wantsExpression = false
        if argument == "none" { return }
        for word in argument.split(separator: ",") {
            let name = word.trimmingCharacters(in: .whitespaces)
            if name == "all" {
                self = .all
            } else if name == "expression" {
                wantsExpression = true
            } else if let attribute = AttributeName(rawValue: name), AnalysisSettings.allAttributes.contains(attribute)
            {
                names.insert(attribute)
            } else {
                return nil
            }
        }
    }

    var defaultValueDescription: String { "all" }
}

extension VideoInput {
    /// As `init(argument:)`, but a `file:` URL is the file that it names.
    init(commandLine argument: String) {
        if argument.lowercased().hasPrefix("file:///"), let path = URL(string: argument)?.path {
            self = .file(path)
        } else {
            self.init(argument: argument)
        }
    }
}

/// The name of a source in events: of a file its last part, of a URL its host and path, never credentials.
enum SourceName {
    static func of(_ input: VideoInput) -> String {
        switch input {
        case .standardInput: "stdin"
        case .file(let path), .device(let path): path.split(separator: "/").last.map(String.init) ?? path
        case .url:
            input.displayName.split(separator: "?").first.map(String.init)?
                .replacingOccurrences(of: "://", with: ":") ?? "url"
        }
    }
}

/// Whether two paths name the same file.
struct FileIdentity: Hashable {
    private let device: UInt
    private let inode: UInt

    /// Nil where there is no regular file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }
}
