import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The models as the program finds them.
    @Suite("Models", .serialized)
    struct ModelTests {
        /// A folder with links to all models.
        private func models() throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            for name in try FileManager.default.contentsOfDirectory(atPath: Installation.models) {
                try FileManager.default.createSymbolicLink(
                    atPath: folder.path(name),
                    withDestinationPath: "\(Installation.models)/\(name)"
                )
            }
            return folder
        }

        private static let mesh = "face_landmark.tflite"

        enum Fault: String, CaseIterable, CustomTestStringConvertible {
            case missing, empty, cut, changed
            var testDescription: String { rawValue }
        }

        @Test("a faulty model ends the run with status 1, its file and the remedy", arguments: Fault.allCases)
        func faulty(fault: Fault) async throws {
            let folder = try models()
            let file = folder.path(Self.mesh)
            var data = try Data(contentsOf: URL(filePath: file))
            try FileManager.default.removeItem(atPath: file)
            switch fault {
            case .missing: break
            case .empty: try folder.file(Self.mesh)
            case .cut: try folder.file(Self.mesh, data.prefix(data.count / 2))
            case .changed:
                data[data.count / 2] ^= 1
                try folder.file(Self.mesh, data)
            }
            let own = ["FACELLM_MODELS": folder.path, "XDG_RUNTIME_DIR": "/tmp"]
            let run = try await Facellm.run("analyze", Installation.portrait, environment: own)
            #expect(run.ending == .exited(1), "\(run.standardError)")
            #expect(run.standardError.contains(file), "\(run.standardError)")
            #expect(run.standardError.contains("run scripts/setup"), "\(run.standardError)")
            #expect(run.text == "")

            let doctor = try await Facellm.run("doctor", environment: own)
            #expect(doctor.ending == .exited(1))
            let lines = doctor.text.split(separator: "\n")
            let bad = try #require(lines.firstIndex { $0.hasPrefix("BAD  face-mesh ") }, "\(doctor.text)")
            #expect(lines[bad].contains(file))
            #expect(lines[bad + 1].contains("→ run scripts/setup"))
            #expect(lines.count { $0.hasPrefix("BAD ") } == 1)

            let list = try await Facellm.run("models", environment: own)
            #expect(list.ending == .exited(1))
            #expect(list.text.contains("run scripts/setup"))
        }

        @Test("models and doctor name every model of Config/models.json")
        func all() async throws {
            struct Manifest: Decodable {
                struct Model: Decodable { let name: String }
                let models: [Model]
            }
            let config = Installation.package.appending(path: "Config/models.json")
            let manifest = try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: config))
            let list = try await Facellm.run("models")
            #expect(list.ending == .exited(0))
            let doctor = try await Facellm.run("doctor", environment: ["XDG_RUNTIME_DIR": "/tmp"])
            #expect(doctor.ending == .exited(0), "\(doctor.text)")
            #expect(doctor.text.contains("everything that facellm needs is here"))
            #expect(manifest.models.count >= 7)
            for model in manifest.models {
                #expect(list.text.contains("\(model.name): "))
                #expect(doctor.text.contains("ok   \(model.name) "))
            }
            #expect(list.text.count(of: "state    ok") == list.text.count(of: "sha256   "))
        }
    }
}

extension String {
    fileprivate func count(of words: String) -> Int { ranges(of: words).count }
}
