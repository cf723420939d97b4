import Foundation
import Service
import Testing

@Suite("Configuration: documents")
struct ConfigurationDocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// With `FACELLM_WRITE_DOCUMENTS=1` they are written instead.
    @Test(arguments: [
        ("Config/facellmd.yaml", ConfigurationReference.template),
        ("Documentation/configuration.md", ConfigurationReference.markdown),
    ])
    func filesAreUpToDate(_ path: String, _ text: String) throws {
        let file = Self.root.appending(path: path)
        if ProcessInfo.processInfo.environment["FACELLM_WRITE_DOCUMENTS"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        let written = try String(contentsOf: file, encoding: .utf8)
        #expect(
            written == text,
            "\(path) is old: run FACELLM_WRITE_DOCUMENTS=1 swift test --filter ConfigurationDocumentTests"
        )
    }

    @Test func theFileShowsTheDefaults() throws {
        let template = ConfigurationReference.template
        #expect(try load(template).configuration == Configuration())
        #expect(template.split(separator: "\n").allSatisfy { $0.count <= 400 })
        var count = 0
        let uncommented = template.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            let indentation = line.prefix { $0 == " " }
            let rest = line.dropFirst(indentation.count)
            guard rest.hasPrefix("#"), !rest.hasPrefix("# ") else { return String(line) }
            count += 1
            return "\(indentation)\(rest.dropFirst())"
        }
        let loaded = try load(uncommented.joined(separator: "\n"))
        #expect(loaded.configuration == Configuration())
        // Every value there is came from the file, and nothing else did.
        let values = loaded.effective.split(separator: "\n").filter { $0.contains("  # ") }
        #expect(values.allSatisfy { $0.contains("  # file, line ") } && values.count == count && count > 50)
    }

    @Test func theExampleIsInOrder() throws {
        let template = ConfigurationReference.template
        let example = try #require(template.range(of: "# sources:\n")).lowerBound
        let text = template[example...].split(separator: "\n").map { $0.dropFirst(2) }.joined(separator: "\n")
        var loader = ConfigurationLoader(environment: [:])
        loader.fetchesSecrets = false
        #expect(
            try loader.load(bytes: Array(text.utf8), file: "").configuration.sources.map(\.name) == ["door", "yard"]
        )
    }

    @Test func theDumpReadsBack() throws {
        let loaded = try load(
            """
            engine:
              question: "What: \\"this\\" # is?"
              fields: [eyes, earrings]
              user_fields: [{name: earrings, stem: It has, options: [{value: none}, {value: some}]}]
            sinks: [{path: a.jsonl}, {kind: stdout}]
            source_defaults: {sample_fps: 2}
            sources:
              - {name: "1", url: rtsp://h/1, masks: [[[0, 0], [0.25, 0], [0, 1]]], schedule: [daily 20:00-06:30]}
              - {name: b, url: /b.mp4, tiling: off, describe: {max_per_hour: 5}}
            """,
            environment: ["FACELLM_DAEMON_LOG_LEVEL": "debug"]
        )
        let effective = loaded.effective
        #expect(try load(effective).configuration == loaded.configuration)
        for line in [
            "  log_level: debug  # environment, FACELLM_DAEMON_LOG_LEVEL", "  log_format: auto  # default",
            "  - name: \"1\"  # file, line 8", "    sample_fps: 2  # source_defaults, file, line 6",
        ] {
            #expect(effective.contains(line + "\n"), "\(effective)")
        }
        #expect(loaded.summary.contains("sources: 2\n  1: rtsp://h/1\n  b: /b.mp4\n"))
    }
}
