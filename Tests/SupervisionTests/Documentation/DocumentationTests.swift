import Foundation
import Service
import TestSupport
import Testing

/// What README.md and the pages in Documentation point to, say to type and say to configure.
@Suite("The documentation", .serialized, .timeLimit(.minutes(2)))
struct DocumentationTests {
    /// `facellm-bench` says nothing, not even its help, in a build like that of the tests.
    private static let programs = ["facellm", "facellmd"]

    @Test("every link leads to a file that is there, and to a heading in it")
    func links() throws {
        let pages = try MarkdownPage.all()
        var count = 0
        for page in pages {
            for link in page.links where !link.contains("://") {
                count += 1
                let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let file = page.file(of: parts[0])
                #expect(FileManager.default.fileExists(atPath: file.path), "\(page.path): \(link)")
                guard parts.count == 2 else { continue }
                let target = pages.first { page.file(of: parts[0]).path.hasSuffix("/\($0.path)") }
                #expect(target?.anchors.contains(String(parts[1])) == true, "\(page.path): \(link)")
            }
        }
        #expect(count > 40)
    }

    @Test("the README leads to every page and stays short")
    func readme() throws {
        let pages = try MarkdownPage.all()
        let readme = try #require(pages.first)
        for page in pages.dropFirst() { #expect(readme.links.contains(page.path), "\(page.path)") }
        let text = try String(contentsOf: Installation.package.appending(path: "README.md"), encoding: .utf8)
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 160)
    }

    @Test("every option that a page has one type is one that the program knows")
    func options() async throws {
        var helps: [[String]: String] = [:]
        var count = 0
        for page in try MarkdownPage.all() {
            for command in page.commands {
                let tokens = command.split(separator: " ").map(String.init)
                guard let first = tokens.first, let program = first.split(separator: "/").last.map(String.init),
                    Self.programs.contains(program)
                else { continue }
                let options = tokens.filter { $0.hasPrefix("--") }.map { $0.prefix { $0 != "=" } }
                    .map { $0.trimmingCharacters(in: .alphanumerics.union(["-"]).inverted) }
                guard !options.isEmpty else { continue }
                let help = try await Self.help(of: [program] + tokens.dropFirst(), &helps)
                for option in options where !["--help", "--version", "--generate-completion-script"].contains(option) {
                    count += 1
                    #expect(help.contains(option), "\(page.path): \(command)")
                }
            }
        }
        #expect(count > 60)
    }

    /// The options in the help of a command and its subcommand.
    private static func help(of tokens: [String], _ known: inout [[String]: String]) async throws -> Set<String> {
        let names = tokens.prefix(3).prefix { $0.allSatisfy { $0.isLetter || $0 == "-" } && !$0.hasPrefix("--") }
        // The longest run of words that is a command; the others may be a file or a source.
        for count in stride(from: names.count, to: 0, by: -1) {
            let command = Array(names.prefix(count))
            if known[command] == nil {
                let executable = URL(filePath: Installation.facellm).deletingLastPathComponent()
                    .appending(path: command[0]).path
                // "help" tells an unknown command from an argument, which "--help" does not.
                let run = try await CommandLineRun.of(
                    executable,
                    count == 1 ? ["--help"] : ["help"] + command.dropFirst()
                )
                known[command] = run.status == 0 ? run.text : ""
            }
            guard let text = known[command], !text.isEmpty, count == 1 || text.contains(command.joined(separator: " "))
            else { continue }
            return Set(text.matches(of: /--[a-z][a-z0-9-]*/).map { String($0.output) })
        }
        return []
    }

    @Test("every configuration that a page shows is in order")
    func configurations() throws {
        var count = 0
        for page in try MarkdownPage.all() {
            for block in page.blocks where block.language == "yaml" {
                count += 1
                var loader = ConfigurationLoader(environment: [:])
                loader.fetchesSecrets = false
                do throws(ConfigurationError) {
                    _ = try loader.load(bytes: Array(block.text.utf8), file: page.path)
                } catch {
                    Issue.record("\(page.path): \(error)\n\(block.text)")
                }
            }
        }
        #expect(count >= 5)
    }

    @Test("every key of the configuration that a page names is one")
    func keys() throws {
        let reference = try String(
            contentsOf: Installation.package.appending(path: "Documentation/configuration.md"),
            encoding: .utf8
        )
        var section = ""
        var keys: Set<String> = []
        for line in reference.split(separator: "\n") {
            if let heading = line.firstMatch(of: /^## `([a-z_.]+)`/) {
                section = String(heading.output.1)
                keys.insert(section)
            } else if let row = line.firstMatch(of: /^\| `([a-z_]+)` \|/) {
                keys.insert("\(section).\(row.output.1)")
            }
        }
        let sections = Set(keys.compactMap { $0.split(separator: ".").first })
        var count = 0
        for page in try MarkdownPage.all() {
            for word in page.words {
                guard let match = word.firstMatch(of: /^([a-z_]+(\.[a-z_]+)+)(: .*)?$/) else { continue }
                let key = match.output.1
                // Sources have parts of their own, which are written without the section in front.
                let isSourceKey = ["describe", "limits"].contains(key.prefix { $0 != "." })
                guard isSourceKey || sections.contains(key.prefix { $0 != "." }), !key.hasSuffix(".md") else {
                    continue
                }
                guard
                    !["journal.sqlite", "sources.json", "sources.add", "sources.list", "sources.remove"].contains(key)
                else { continue }
                count += 1
                #expect(keys.contains(isSourceKey ? "source_defaults.\(key)" : String(key)), "\(page.path): \(word)")
            }
        }
        #expect(count > 20)
    }
}
