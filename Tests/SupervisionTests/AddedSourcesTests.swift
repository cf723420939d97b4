import Foundation
import Service
import TestSupport
import Testing

/// Sources that come by command.
@Suite("Sources by command", .serialized, .needsInstallation, .timeLimit(.minutes(2)))
struct AddedSourcesTests {
    private func add(_ name: String, _ more: String = "") -> ControlCommand {
        .sourcesAdd(JSONText: "{\"name\":\"\(name)\",\"url\":\"rtsp://u:hunter2@127.0.0.1:9/\(name)\"\(more)}")
    }

    @Test("they begin with source_defaults, are kept over restarts, and are forgotten when removed")
    func kept() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("state/sources.json")
        let yaml = "source_defaults: {sample_fps: 2}\nsources: [{name: door, url: rtsp://127.0.0.1:9/door}]\n"
        try await LocalDaemon.with(folder, yaml) { local async throws in
            let answer = try await local.ask(add("yard"))
            #expect(answer["added"] as? String == "yard" && answer["kept"] as? Bool == true)
            _ = try await local.ask(add("attic", ",\"sample_fps\":7"))
            #expect(try await local.sources() == ["door": "configuration", "yard": "command", "attic": "command"])
            #expect(await local.sampleRates == ["door": 2, "yard": 2, "attic": 7])
            #expect(await local.refusal(add("door")) == "source_exists")
            #expect(await local.refusal(add("yard")) == "source_exists")
            #expect(await local.refusal(.sourcesAdd(JSONText: "{\"name\":\"a\",\"urk\":1}")) == "invalid_source")
        }
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // The defaults are those of the configuration that is read then.
        try await LocalDaemon.with(folder, yaml.replacing("sample_fps: 2", with: "sample_fps: 3")) {
            local async throws in
            #expect(try await local.sources() == ["door": "configuration", "yard": "command", "attic": "command"])
            #expect(await local.sampleRates == ["door": 3, "yard": 3, "attic": 7])
            #expect(try await local.ask(.sourcesRemove("yard"))["note"] == nil)
            #expect(await local.refusal(.sourcesRemove("yard")) == "unknown_source")
        }
        try await LocalDaemon.with(folder, yaml) { local async throws in
            #expect(try await local.sources() == ["door": "configuration", "attic": "command"])
        }
    }

    @Test("a reload leaves them alone; one that the configuration names is the configuration's from then on")
    func reload() async throws {
        let folder = try TemporaryFolder()
        try await LocalDaemon.with(folder, "") { local async throws in
            _ = try await local.ask(add("yard"))
            #expect(try await local.reload("source_defaults: {}") == ["nothing changed"])
            #expect(try await local.sources() == ["yard": "command"])
            let own = "sources: [{name: yard, url: rtsp://127.0.0.1:9/other}]"
            #expect(try await local.reload(own) == ["source yard: url changed, opened again"])
            #expect(try await local.sources() == ["yard": "configuration"])
            #expect(try await local.reload("") == ["source yard: removed"])
            #expect(try await local.sources() == [:])
        }
        #expect(try String(contentsOfFile: folder.path("state/sources.json"), encoding: .utf8) == "[]\n")
    }

    @Test("a source of the configuration that is removed comes back when that is read again, and the answer says so")
    func removed() async throws {
        let yaml = "sources: [{name: door, url: rtsp://127.0.0.1:9/door}]"
        try await LocalDaemon.with(try TemporaryFolder(), yaml) { local async throws in
            let answer = try await local.ask(.sourcesRemove("door"))
            #expect((answer["note"] as? String)?.contains("configuration") == true)
            #expect(try await local.sources() == [:])
            #expect(try await local.reload(yaml) == ["source door: added"])
            #expect(try await local.sources() == ["door": "configuration"])
        }
    }

    @Test("a paused source stays paused when a reload opens it again")
    func paused() async throws {
        let yaml = "sources: [{name: door, url: rtsp://127.0.0.1:9/door}]"
        try await LocalDaemon.with(try TemporaryFolder(), yaml) { local async throws in
            _ = try await local.ask(.pause("door"))
            _ = try await local.reload(yaml.replacing("9/door", with: "9/other"))
            while try await local.status(of: "door") == "starting" { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await local.status(of: "door") == "paused")
        }
    }

    @Test(
        "a file that is none of ours is put aside, and the daemon starts",
        arguments: ["", "{}", "[{\"url\":\"/a\"}]"]
    )
    func damaged(content: String) async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        _ = try folder.file("state/sources.json", content)
        try await LocalDaemon.with(folder, "") { local async throws in
            #expect(try await local.sources() == [:])
            _ = try await local.ask(add("yard"))
        }
        #expect(try String(contentsOfFile: folder.path("state/sources.json.damaged"), encoding: .utf8) == content)
    }

    @Test("one whose secret is gone does not hold the others up")
    func unusable() async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        let kept = "[{\"name\":\"a\",\"url_from\":\"file:/nowhere\"},{\"name\":\"b\",\"url\":\"rtsp://127.0.0.1:9/\"}]"
        let file = try folder.file("state/sources.json", kept)
        try await LocalDaemon.with(folder, "") { local async throws in
            #expect(try await local.sources() == ["b": "command"])
        }
        #expect(try String(contentsOfFile: file, encoding: .utf8) == kept)
    }
}
