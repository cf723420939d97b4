import Foundation
import Service
import Testing

@Suite("Configuration: errors")
struct ConfigurationErrorTests {
    @Test func allAreToldAtOnceFromTopToBottom() {
        let found = problems(
            """
            daemon:
              log_levle: info
              log_format: jsn
            journal:
              max_size_mib: 0
              path: a.db
              path: b.db
            sources:
              - name: door
                url: rtps://camera.example/1
                sample_fps: fast
                masks: [[[0, 0], [1, 1], [1, 0], [0, 1]]]
              - name: door
                url: /a.mp4
                zones: [[[0, 0], [1, 1]]]
              - url: /b.mp4
            surces: []
            """
        )
        let expected = [
            "test.yaml:2:3: daemon.log_levle: unknown key; did you mean log_level?",
            "test.yaml:3:15: daemon.log_format: expected `auto`, `text`, `journal`, `json`, found \"jsn\"; did you mean json?",
            "test.yaml:5:17: journal.max_size_mib: expected whole number, 1 to 1048576, found \"0\"",
            "test.yaml:7:3: journal.path: this key is given twice (first in line 6); remove one of them",
            "test.yaml:10:10: sources[0].url: \"rtps\" is no protocol that a source can use; did you mean rtsp?",
            "test.yaml:11:17: sources[0].sample_fps: expected number, 0.01 to 1000, found \"fast\"",
            "test.yaml:12:13: sources[0].masks[0]: the edges from points 1 and 3 cross",
            "test.yaml:13:11: sources[1].name: another source in line 9 is called door too",
            "test.yaml:15:13: sources[1].zones[0]: a polygon has 3 to 64 points, not 2",
            "test.yaml:16:5: sources[2]: the source has no name",
            "test.yaml:17:1: surces: unknown key; did you mean sources?",
        ]
        #expect(found.count == expected.count, "\(found)")
        for (line, beginning) in zip(found, expected) {
            #expect(line.hasPrefix(beginning), "\(line)")
        }
    }

    @Test(arguments: [
        ("a: [", "not YAML"),
        ("daemon:\n\tlog_level: info\n", "test.yaml:2:1: a tab indents"),
        ("daemon: {log_level: \u{7}}\n", "the character U+7 is not allowed"),
        ("a: 1\n---\nb: 2\n", "test.yaml:2:1: not YAML"),
        ("- a\n", "test.yaml:1:1: expected a mapping (key: value), found a list"),
        ("rtsp://u:hunter2@h/\n", "expected a mapping (key: value), found a text"),
        ("sockets: {events: {queue_bytes: *x}}\n", "not YAML: found undefined alias"),
        ("daemon: !!map {log_level: !x info}\n", "tags (!name) are not used here"),
        ("? [a]\n: 1\n", "a key must be a word"),
        ("daemon: {log_level: }\n", "daemon.log_level: expected"),
        ("journal: {enabled: yes}\n", "journal.enabled: expected `true` or `false`, found \"yes\""),
        ("journal: {max_size_mib: \"5\"}\n", "journal.max_size_mib: expected whole number"),
        ("engine: {timeout_s: nan}\n", "engine.timeout_s: expected number, 1 to 3600, found \"nan\""),
        ("engine: {timeout_s: 1e999}\n", "engine.timeout_s: expected number"),
        ("sockets: {events: {mode: \"0066\"}}\n", "expected file mode"),
        (
            "sockets: {events: {path: control.sock}}\n",
            "/run/facellm/control.sock is used by sockets.events.path already"
        ),
        (
            "journal: {path: /run/facellm/./x/../events.sock}\n",
            "journal.path: /run/facellm/./x/../events.sock is used by"
        ),
        (
            "sinks: [{kind: stdout}, {kind: stdout}]\n",
            "sinks[1].kind: standard output is used by sinks[0].kind already"
        ),
        ("sinks: [{kind: jsonl}]\n", "sinks[0]: a jsonl needs a path"),
        ("sinks: [{path: /v.mp4}]\nsources: [{name: a, url: /v.mp4}]\n", "/v.mp4 is used by sources[0].url already"),
        (
            "sinks: [{path: a, sources: [dor]}]\nsources: [{name: door, url: /v}]\n",
            "no source is called dor; did you mean"
        ),
        ("http: {listen: 0.0.0.0:80}\n", "http.listen: others can reach this address: it needs http.token_from"),
        ("http: {listen: \"[::]:80\"}\n", "others can reach this address"),
        ("http: {listen: camera.example:80}\n", "http.listen: expected `unix:/PATH`"),
        ("http: {listen: 127.0.0.1:0}\n", "http.listen: expected `unix:/PATH`"),
        ("sources: [{name: a}]\n", "the source has neither url nor url_from"),
        ("sources: [{name: a, url: /v, url_from: env:X}]\n", "the source has a url already"),
        ("sources: [{name: a, url: video.mp4}]\n", "neither a URL (scheme://…) nor an absolute path"),
        ("sources: [{name: a, url: rtsp://h:99999/}]\n", "the port of the URL is not a number"),
        ("sources: [{name: a, url: \"rtsp://:554/\"}]\n", "the URL names no host"),
        ("sources: [{name: a b, url: /v}]\n", "sources[0].name: expected name of letters"),
        ("sources: [{name: a, url: /v, schedule: [mon 8-9]}]\n", "sources[0].schedule[0]: expected days and hours"),
        ("sources: [{name: a, url: /v, landmarks: true}]\n", "landmarks are a part of observations"),
        ("sources: [{name: a, url: /v, limits: {reconnect_first_s: 99}}]\n", "longer than reconnect_longest_s"),
        ("sources: [{name: a, url: /v, attributes: [eyes, eyes]}]\n", "this entry is there twice"),
        ("engine: {fields: [eyes, mouht]}\n", "no field is called mouht; did you mean mouth?"),
        ("engine: {question: expresion}\n", "did you mean expression?"),
        ("engine: {user_fields: [{name: x, option: []}]}\n", "engine.user_fields[0]"),
        (
            "engine:\n  user_fields:\n    - name: hats\n      options: [{value: a}, {value: B!}]\n",
            "test.yaml:4:37: engine.user_fields[0].options[1].value"
        ),
    ])
    func eachIsClear(_ yaml: String, _ message: String) {
        let found = problems(yaml)
        #expect(found.contains { $0.contains(message) }, "\(found)")
        #expect(!found.joined().contains("hunter2"))
    }

    @Test func nothingIsToldTwiceOfWhatIsInherited() {
        let found = problems(
            "source_defaults: {landmarks: true}\nsources: [{name: a, url: /a}, {name: b, url: /b}]\n"
        )
        #expect(found.count == 1 && found[0].contains("source_defaults.landmarks"), "\(found)")
    }

    @Test func hugeAndHostileFilesEndSoon() {
        let loader = ConfigurationLoader(environment: [:])
        func refusal(_ bytes: [UInt8]) -> String {
            do {
                _ = try loader.load(bytes: bytes, file: "f")
                return ""
            } catch {
                return error.description
            }
        }
        #expect(refusal([UInt8](repeating: 0x23, count: (1 << 20) + 1)).contains("1048576 are allowed"))
        #expect(refusal(Array("a: 1\nb: \"".utf8) + [0xFF, 0xFE]).hasPrefix("f:2:1: this line is not UTF-8"))
        // Each line nine times the one before.
        var laughs = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        for level in 1...9 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            laughs += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(refusal(Array(laughs.utf8)).contains("aliases (*name) are allowed 16 times"))
        // As many as are let in, as a key, which has to be compared.
        var key = "a0: &a0 [\(String(repeating: "1, ", count: 2000))]\n"
        for level in 1...5 { key += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
        #expect(refusal(Array("\(key)? *a5\n: 1\n".utf8)).contains("there are more than 100000 values"))
        #expect(!refusal(Array(String(repeating: "[", count: 5000).utf8)).isEmpty)
        #expect(!refusal(Array(String(repeating: "- ", count: 5000).utf8)).isEmpty)
        #expect(!refusal(Array(String(repeating: "{a: ", count: 900).utf8)).isEmpty)
        #expect(!refusal(Array(String(repeating: "a: 1\n", count: 100).utf8)).isEmpty)
    }

    @Test func mutationsNeverTrap() throws {
        let text = ConfigurationReference.template.split(separator: "\n").filter { !$0.contains("# ") }
            .joined(separator: "\n")
        var seed: UInt64 = 0x5EED
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        let original = Array((text.filter { $0 != "#" } + "\nsources:\n" + ConfigurationReference.example + "\n").utf8)
        let pieces = [
            "[", "]", "{", "}", ": ", "- ", "\n", "*a", "&a ", "\"", "'", "|", "!", "\t", "\0", "é",
            "999999999999999999999",
        ]
        let loader = ConfigurationLoader(environment: [:])
        var refused = 0
        for _ in 0..<5000 {
            // A stretch of the file is enough, and keeps this fast.
            let begin = next(original.count)
            var bytes = Array(original[begin..<min(original.count, begin + 50 + next(700))])
            for _ in 0...next(4) where !bytes.isEmpty {
                let place = next(bytes.count)
                switch next(4) {
                case 0: bytes[place] = UInt8(next(256))
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(contentsOf: Array(pieces[next(pieces.count)].utf8), at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + next(20)))
                }
            }
            do {
                _ = try loader.load(bytes: bytes, file: "f")
            } catch {
                refused += 1
                #expect(!error.problems.isEmpty)
            }
        }
        #expect(refused > 2500)
    }
}
