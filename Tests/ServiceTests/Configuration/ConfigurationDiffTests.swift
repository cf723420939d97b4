import Service
import Testing

@Suite("Configuration: reload")
struct ConfigurationDiffTests {
    private static let base = """
        sources:
          - {name: a, url: "rtsp://u:p@h/1"}
          - {name: b, url: rtsp://h/2}
          - {name: c, url: rtsp://h/3}
        """

    private func diff(_ new: String, _ old: String = base) throws -> ConfigurationDiff {
        try ConfigurationDiff(from: load(old).configuration, to: load(new).configuration)
    }

    @Test func nothingChanges() throws {
        let reordered =
            "sources: [{name: c, url: rtsp://h/3}, {name: b, url: rtsp://h/2}, {name: a, url: \"rtsp://u:p@h/1\"}]"
        for text in [Self.base, reordered] {
            let diff = try diff(text)
            #expect(
                diff.isEmpty && diff.description == "nothing changed" && diff.unchanged.sorted() == ["a", "b", "c"]
            )
        }
    }

    @Test func sourcesComeGoAndChange() throws {
        let diff = try diff(
            """
            sources:
              - {name: a, url: "rtsp://u:q@h/1"}
              - {name: b, url: rtsp://h/2, schedule: [daily 08:00-09:00]}
              - {name: d, url: rtsp://h/4}
            """
        )
        #expect(diff.added.map(\.name) == ["d"] && diff.removed == ["c"] && diff.unchanged.isEmpty)
        #expect(diff.changed.map(\.settings.name) == ["a", "b"])
        // Only the password differs, which no text shows.
        #expect(diff.changed[0].needsRestart && diff.changed[0].changes.map(\.path) == ["url"])
        #expect(!diff.changed[1].needsRestart && diff.changed[1].changes.map(\.path) == ["schedule"])
        #expect(!diff.description.contains("rtsp"))
    }

    @Test func defaultsReachOnlySourcesWithoutTheirOwn() throws {
        let old = "sources: [{name: a, url: /a, describe: {max_per_hour: 5}}, {name: b, url: /b}]"
        let diff = try diff("source_defaults: {describe: {max_per_hour: 7}}\n" + old, old)
        #expect(diff.unchanged == ["a"] && diff.changed.map(\.settings.name) == ["b"])
        #expect(diff.changed[0].changes.map(\.path) == ["describe.max_per_hour"])
        #expect(diff.reloaded.isEmpty && diff.needingDaemonRestart.isEmpty)
    }

    @Test func keysOfTheDaemonTellWhenTheyTakeEffect() throws {
        let diff = try diff(
            Self.base
                + "\ndaemon: {log_level: debug}\njournal: {path: x.db, max_size_mib: 9}\nsinks: [{kind: stdout}]\n"
        )
        #expect(diff.reloaded == ["daemon.log_level", "journal.max_size_mib", "sinks"])
        #expect(diff.needingDaemonRestart == ["journal.path"])
        #expect(diff.description.hasSuffix("needs a restart: journal.path"))
        #expect(diff.unchanged.count == 3)
    }

    @Test func aSecretMayChangeBehindItsReference() throws {
        let text = "sources: [{name: a, url_from: env:A}]\nhttp: {token_from: env:T}"
        let diff = try ConfigurationDiff(
            from: load(text, environment: ["A": "rtsp://h/1", "T": "x"]).configuration,
            to: load(text, environment: ["A": "rtsp://h/2", "T": "y"]).configuration
        )
        #expect(diff.changed.map(\.needsRestart) == [true] && diff.changed[0].changes.map(\.path) == ["url_from"])
        #expect(diff.needingDaemonRestart == ["http.token_from"])
    }
}
