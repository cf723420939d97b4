import Foundation
import TestSupport

/// A page for people, taken apart as far as tests need it.
struct MarkdownPage {
    /// A block between fences.
    struct Block {
        /// What stands behind the fence; `"yaml"`.
        let language: String
        let text: String
    }

    /// Relative to the package; `"Documentation/viewer.md"`.
    let path: String
    /// The lines outside of blocks.
    let lines: [String]
    let blocks: [Block]

    private var url: URL { Installation.package.appending(path: path) }

    /// README.md and every page in Documentation.
    static func all() throws -> [MarkdownPage] {
        let folder = Installation.package.appending(path: "Documentation")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".md") }
        return try (["README.md"] + names.sorted().map { "Documentation/\($0)" }).map(MarkdownPage.init)
    }

    init(path: String) throws {
        self.path = path
        let text = try String(contentsOf: Installation.package.appending(path: path), encoding: .utf8)
        var lines: [String] = []
        var blocks: [Block] = []
        var open: (language: String, lines: [Substring])?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(Block(language: block.language, text: block.lines.joined(separator: "\n")))
                    open = nil
                } else {
                    open = (String(line.dropFirst(3)), [])
                }
            } else if open != nil {
                open?.lines.append(line)
            } else {
                lines.append(String(line))
            }
        }
        self.lines = lines
        self.blocks = blocks
    }

    // MARK: - Links

    /// Where links and pictures point to.
    var links: [String] {
        lines.flatMap { line in line.matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) } }
    }

    /// What a link's part behind `#` may be: headings as forges write them.
    var anchors: Set<String> {
        var anchors: Set<String> = []
        for line in lines where line.hasPrefix("#") {
            let heading = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
            let plain = heading.filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }.replacing(" ", with: "-")
            var anchor = plain
            var count = 0
            while !anchors.insert(anchor).inserted {
                count += 1
                anchor = "\(plain)-\(count)"
            }
        }
        return anchors
    }

    /// The file that a relative link names.
    func file(of link: Substring) -> URL {
        link.isEmpty ? url : url.deletingLastPathComponent().appending(path: String(link)).standardizedFileURL
    }

    // MARK: - Code

    /// Short pieces of code between words.
    var words: [String] {
        lines.joined(separator: "\n").matches(of: /`([^`]+)`/).map { String($0.output.1).replacing("\n", with: " ") }
    }

    /// What a shell would be given, one command each: of blocks, and of the text where it begins with a program's name.
    var commands: [String] {
        let shell = blocks.filter { ["", "sh"].contains($0.language) }
            .flatMap { $0.text.replacing("\\\n", with: " ").split(separator: "\n").map(String.init) }
        return (shell + words).flatMap { line in
            let code = line.split(separator: " #", maxSplits: 1).first.map(String.init) ?? ""
            return code.split(separator: /&&|\||;/).map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }
}
