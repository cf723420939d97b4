import Foundation
import TestSupport
import Testing

/// The scripts that make and try packages.
private enum Packaging {
    /// Why no package can be made; nil if all is there.
    static let missing: String? = ["dpkg-deb", "dpkg-shlibdeps", "patchelf", "python3"]
        .first { Installation.executable($0) == nil }.map { "\($0) is not installed: scripts/setup --tests" }

    static func script(_ name: String, _ arguments: String...) async throws -> CommandLineRun {
        let path = Installation.package.appending(path: "scripts/\(name)").path
        return try await CommandLineRun.of(path, arguments, .init(seconds: 1000))
    }
}

/// Makes the package of the built programs once for a suite.
private struct BuiltPackage: SuiteTrait, TestScoping {
    /// The package's file.
    @TaskLocal static var path = ""

    @concurrent
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder("facellm-package")
        let build = URL(filePath: Installation.facellm).deletingLastPathComponent().path
        let run = try await Packaging.script("package", "--build", build, "--output", folder.path)
        try #require(run.status == 0, "\(run.standardError)")
        let path = run.text.trimmingCharacters(in: .whitespacesAndNewlines)
        try await Self.$path.withValue(path) { try await function() }
    }
}

/// The Debian package that `scripts/package` makes of the built programs.
@Suite(
    "Debian package",
    .serialized,
    .needsInstallation,
    .enabled(if: Packaging.missing == nil, "\(Packaging.missing ?? "")"),
    BuiltPackage(),
    .timeLimit(.minutes(20))
)
struct PackageTests {
    private func output(_ command: String, _ arguments: String...) async throws -> String {
        let run = try await CommandLineRun.of(command, arguments)
        try #require(run.status == 0, "\(command) \(arguments): \(run.standardError)")
        return run.text
    }

    /// The package's files, unpacked.
    private func unpacked(_ folder: TemporaryFolder) async throws -> String {
        let root = folder.path("root")
        _ = try await output("dpkg-deb", "-x", BuiltPackage.path, root)
        return root
    }

    @Test("every command has a manual page that names its options")
    func manual() async throws {
        let folder = try TemporaryFolder()
        for (program, section) in [(Installation.facellm, "1"), (Installation.facellmd, "8")] {
            let run = try await Packaging.script("manual-pages", program, section, folder.path("man"))
            try #require(run.status == 0, "\(run.standardError)")
        }
        let usage = try await output(Installation.facellm, "analyze", "--help")
        let page = try String(contentsOfFile: folder.path("man/facellm-analyze.1"), encoding: .utf8)
            .replacing("\\-", with: "-")
        let options = Set(usage.matches(of: /\s(--[a-z][a-z-]+)/).map { String($0.output.1) })
        #expect(options.count > 20)
        for option in options { #expect(page.contains("\\fB\(option)\\fR"), "\(option) is not in the manual page") }
        let commands = try await output(Installation.facellm, "--help")
            .matches(of: /\n  ([a-z]+) {2,}[A-Z]/).map { String($0.output.1) }
        #expect(commands.contains("analyze") && commands.contains("subscribe"))
        let pages = Set(folder.files)
        for command in commands { #expect(pages.contains("man/facellm-\(command).1"), "no page for \(command)") }
        #expect(pages.contains("man/facellm-sources-add.1") && pages.contains("man/facellmd.8"))
    }

    @Test("it holds what the daemon needs, finds its libraries in one folder, and depends on FFmpeg's")
    func contents() async throws {
        let folder = try TemporaryFolder()
        let root = try await unpacked(folder)
        for program in ["facellm", "facellmd"] {
            let path = try await output("patchelf", "--print-rpath", "\(root)/usr/bin/\(program)")
            #expect(path == "/usr/lib/facellm\n")
        }
        for unit in ["facellmd.service", "facellmd.socket", "facellmd-control.socket"] {
            let text = try String(contentsOfFile: "\(root)/lib/systemd/system/\(unit)", encoding: .utf8)
            #expect(!text.contains("/usr/local"), "\(unit) names a folder that is not the package's")
        }
        let depends = try await output("dpkg-deb", "-f", BuiltPackage.path, "Depends")
        for library in ["libavformat", "libavcodec", "libswscale", "libsqlite3", "libc6"] {
            #expect(depends.contains(library), "\(depends)")
        }
        #expect(!depends.contains("swift") && !depends.contains("openvino"))
        let listing = try await output("dpkg-deb", "-c", BuiltPackage.path)
        for line in listing.split(separator: "\n") {
            #expect(line.contains(" root/root "), "\(line)")
            #expect(line.hasPrefix("d") || line.hasPrefix("-rw-r--r--") || line.hasPrefix("-rwxr-xr-x"), "\(line)")
        }
    }

    @Test("whatever it brings along is in the copyright file with a licence whose text is there")
    func copyright() async throws {
        let folder = try TemporaryFolder()
        let root = try await unpacked(folder)
        let text = try String(contentsOfFile: "\(root)/usr/share/doc/facellm/copyright", encoding: .utf8)
        let paragraphs = text.components(separatedBy: "\n\n")
        func files(_ paragraph: String) -> [Substring] {
            guard paragraph.hasPrefix("Files: ") else { return [] }
            return paragraph.split(separator: "\n").prefix { !$0.hasPrefix("Copyright:") }
                .map { $0.hasPrefix("Files: ") ? $0.dropFirst(7) : $0.dropFirst() }
        }
        let named = paragraphs.flatMap(files)
        for brought in folder.files where brought.contains("/lib/facellm/") || brought.contains("/models/") {
            let path = brought.replacing("root/", with: "", maxReplacements: 1)
            // The list of the models is this project's.
            if path.hasSuffix("/models.json") { continue }
            let isNamed = named.contains { $0.hasSuffix("*") ? path.hasPrefix($0.dropLast()) && $0 != "*" : path == $0 }
            #expect(isNamed, "\(path) has no licence")
        }
        for package in ["GRDB.swift", "Yams", "hummingbird", "swift-nio", "swift-argument-parser"] {
            #expect(named.contains(".build/checkouts/\(package)/*"), "\(package) has no licence")
        }
        let texts = Set(
            paragraphs.filter { $0.hasPrefix("License: ") }.compactMap { $0.split(separator: "\n").first?.dropFirst(9) }
        )
        for paragraph in paragraphs where paragraph.hasPrefix("Files: ") {
            let licence = try #require(paragraph.split(separator: "\n").first { $0.hasPrefix("License: ") }).dropFirst(
                9
            )
            for name in licence.components(separatedBy: " and ") {
                #expect(texts.contains { $0 == name }, "the text of \(name) is missing")
            }
        }
    }

    @Test("on a clean Debian it installs, serves under its unit, updates, and goes without a trace")
    func cleanSystem() async throws {
        let run = try await Packaging.script("check-package", BuiltPackage.path)
        if run.status == 77 {
            let lines: [Substring] = run.text.split(separator: "\n")
            try Test.cancel(Comment(rawValue: lines.last.map(String.init) ?? "no reason given"))
        }
        #expect(run.status == 0, "\(run.text)\(run.standardError)")
        #expect(run.text.hasSuffix("the package is good\n"))
    }
}
