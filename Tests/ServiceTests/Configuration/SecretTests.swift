import Foundation
import Service
import Testing
import Video

@Suite("Configuration: secrets")
struct SecretTests {
    @Test func nothingPrintsASecret() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(["a": secret], to: &dumped)
        for text in [
            "\(secret)", String(reflecting: secret), "\([secret])", dumped,
            "\(Mirror(reflecting: secret).children.count)",
        ] {
            #expect(!text.contains("hunter2"))
        }
        #expect(secret.reveal() == "hunter2")
    }

    @Test(arguments: [
        "rtsp://admin:hunter2@camera.example/1", "rtsp://admin:a@b/hunter2?#:@camera.example:554/1",
        "rtsp://admin:%20 hunter2 é@camera.example/1", "http://camera.example/v?user=a&pwd=hunter2",
        "rtsp://hunter2@camera.example/1",
    ])
    func urlsLoseTheirCredentials(_ url: String) throws {
        let loaded = try load("sources:\n  - name: a\n    url: \"\(url)\"\n")
        let source = try #require(loaded.configuration.sources.first)
        var dumped = ""
        dump(loaded, to: &dumped)
        for text in ["\(source)", "\(loaded)", String(reflecting: source), dumped, loaded.effective, loaded.summary] {
            #expect(!text.contains("hunter2"))
        }
        #expect(source.address?.input() == .url(url))
        #expect(loaded.warnings.map { $0.path } == ["sources[0].url"])
    }

    @Test func errorsRepeatNoSecret() {
        let texts = [
            "sources: [{name: a, url: \"rtsp//u:hunter2@h\"}]", "sources: [{name: a, url: \"hunter2://u:p@h\"}]",
            "sources: [{name: a, url_from: \"rtsp://u:hunter2@h/1\"}]", "sources: [rtsp://u:hunter2@h/1]",
            "http: {token_from: hunter2}", "sources: rtsp://u:hunter2@h/1", "rtsp://u:hunter2@h/1: x",
            "sources: [{name: rtsp://u:hunter2@h/1, url: /x}]", "daemon: {rtsp://u:hunter2@h/1: 1, b: 2}",
        ]
        for text in texts.dropFirst(2) + texts.prefix(1) {
            let found = problems(text).joined(separator: "\n")
            #expect(!found.isEmpty && !found.contains("hunter2"), "\(found)")
        }
    }

    @Test func referencesAreFollowed() throws {
        try withFolder { folder in
            let file = folder.appending(path: "door").path, yaml = "sources: [{name: a, url_from: \"file:\(file)\"}]"
            let manager = FileManager.default
            #expect(problems(yaml).first?.contains("cannot open \(file)") == true)
            _ = manager.createFile(
                atPath: file,
                contents: Data("rtsp://u:p@h/1\n".utf8),
                attributes: [.posixPermissions: 0o600]
            )
            #expect(try load(yaml).configuration.sources[0].address?.input() == .url("rtsp://u:p@h/1"))
            try manager.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
            #expect(problems(yaml).first?.contains("has the mode 0640, so others can get at it: run chmod 600") == true)
            try manager.setAttributes([.posixPermissions: 0o400], ofItemAtPath: file)
            #expect(problems(yaml).isEmpty)

            let credential = "sources: [{name: a, url_from: credential:door}]"
            #expect(problems(credential).first?.contains("LoadCredential=door:") == true)
            let environment = ["CREDENTIALS_DIRECTORY": folder.path, "DOOR": "/video.mp4", "TOKEN": "hunter2"]
            #expect(
                try load(credential, environment: environment).configuration.sources[0].address?.description
                    == "rtsp://h/1"
            )
            let variable =
                "sources: [{name: a, url_from: env:DOOR}]\nhttp: {listen: 0.0.0.0:9464, token_from: env:TOKEN}"
            let loaded = try load(variable, environment: environment)
            #expect(loaded.configuration.sources[0].address?.input() == .file("/video.mp4"))
            #expect(loaded.configuration.http.token == Secret("hunter2") && !"\(loaded)".contains("hunter2"))
            // Others may reach it, since there is a token.
            #expect(loaded.configuration.http.listen == .tcp(host: "0.0.0.0", port: 9464))
            #expect(problems(variable).count == 2)
            var loader = ConfigurationLoader(environment: [:])
            loader.fetchesSecrets = false
            #expect(try loader.load(bytes: Array(variable.utf8), file: "").configuration.sources[0].address == nil)

            try Data("one\ntwo\n".utf8).write(to: folder.appending(path: "lines"))
            try Data().write(to: folder.appending(path: "empty"))
            let store = SecretStore(environment: environment)
            for name in ["lines", "empty", "absent"] {
                #expect(throws: ValueError.self) { try store.read(.credential(name)) }
            }
            #expect(throws: ValueError.self) { try store.read(.file(folder.path)) }
            #expect(SecretReference("credential:../x") == nil && SecretReference("file:x") == nil)
        }
    }
}
