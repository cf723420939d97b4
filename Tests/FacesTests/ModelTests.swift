import Faces
import Foundation
import Testing

@Suite struct ModelFolderTests {
    /// A folder that is gone when the test is over.
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("models-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test func aMissingFileNamesItselfAndTheRemedy() throws {
        try withFolder { folder in
            let error = #expect(throws: FacesError.self) {
                try ModelFolder(path: folder.path).verifiedPath(of: ModelCatalogue.mesh)
            }
            #expect(error?.operation == .findModel)
            let text = try #require(error).description
            #expect(text.contains(folder.path + "/face_landmark.tflite"))
            #expect(text.contains("scripts/setup"))
        }
    }

    @Test func aShortFileNamesBothSizesAndTheRemedy() throws {
        try withFolder { folder in
            let model = ModelCatalogue.mesh
            try Data(count: 1000).write(to: folder.appendingPathComponent(model.file))
            let error = #expect(throws: FacesError.self) {
                try ModelFolder(path: folder.path).verifiedPath(of: model)
            }
            #expect(error?.operation == .verifyModel)
            let text = try #require(error).description
            for part in [folder.path + "/" + model.file, "1000", String(model.bytes), "scripts/setup"] {
                #expect(text.contains(part), "\(part)")
            }
        }
    }

    @Test func otherContentIsToldByItsHash() throws {
        try withFolder { folder in
            let model = try #require(ModelCatalogue.all.min { $0.bytes < $1.bytes })
            try Data(count: model.bytes).write(to: folder.appendingPathComponent(model.file))
            let error = #expect(throws: FacesError.self) {
                try ModelFolder(path: folder.path).verifiedPath(of: model)
            }
            #expect(error?.operation == .verifyModel)
            let text = try #require(error).description
            for part in [model.file, model.sha256, "scripts/setup"] { #expect(text.contains(part), "\(part)") }
        }
    }

    @Test func aFolderInPlaceOfAFileIsAnError() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(ModelCatalogue.mesh.file),
                withIntermediateDirectories: true
            )
            #expect(throws: FacesError.self) {
                try ModelFolder(path: folder.path).verifiedPath(of: ModelCatalogue.mesh)
            }
        }
    }

    @Test func whichFolder() {
        #expect(ModelFolder.standard(environment: ["FACELLM_MODELS": "/a", "FACELLM_PREFIX": "/b"]).path == "/a")
        #expect(ModelFolder.standard(environment: ["FACELLM_PREFIX": "/b"]).path == "/b/share/facellm/models")
        #expect(
            ModelFolder.standard(environment: ["FACELLM_MODELS": "", "FACELLM_PREFIX": ""]).path
                == ModelCatalogue.installPrefix + "/share/facellm/models"
        )
    }

    @Test("models under the prefix of the installed program come before those it was built with")
    func besideTheProgram() throws {
        try withFolder { folder in
            let models = folder.path + "/share/facellm/models"
            func found(_ program: String) -> String {
                ModelFolder.standard(environment: [:], program: folder.path + program).path
            }
            let built = ModelCatalogue.installPrefix + "/share/facellm/models"
            #expect(found("/bin/facellm") == built)
            try FileManager.default.createDirectory(atPath: models, withIntermediateDirectories: true)
            #expect(found("/bin/facellm") == built)
            try Data("{}".utf8).write(to: URL(filePath: models + "/models.json"))
            #expect(found("/bin/facellm") == models)
            #expect(found("/facellm") == built && found("/libexec/facellm/facellm") == built)
            #expect(ModelFolder.standard(environment: [:], program: nil).path == built)
            #expect(
                ModelFolder.standard(environment: ["FACELLM_PREFIX": "/b"], program: folder.path + "/bin/a").path
                    == "/b/share/facellm/models"
            )
        }
    }
}

@Suite struct ModelCatalogueTests {
    private struct Manifest: Decodable {
        struct Model: Decodable {
            var name: String
            var file: String
            var wheel: String
            var version: String
            var sha256: String
            var bytes: Int
            var licence: String
            var used_for: String
        }

        var models: [Model]
    }

    /// What `scripts/setup` installs is what the program asks for.
    @Test func agreesWithTheManifest() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Config/models.json")
        let manifest = try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: path))
        #expect(Set(manifest.models.map(\.name)) == Set(ModelCatalogue.all.map(\.name)))
        for model in ModelCatalogue.all {
            let entry = try #require(manifest.models.first { $0.name == model.name }, "\(model.name)")
            #expect(entry.file == model.file)
            #expect(entry.sha256 == model.sha256)
            #expect(entry.bytes == model.bytes)
            #expect(entry.licence == model.licence)
            #expect(entry.used_for == model.usedFor)
            #expect(model.source.hasPrefix("\(entry.wheel) \(entry.version)"), "\(model.source)")
        }
    }

    @Test func namesAndFilesAreUnique() {
        #expect(Set(ModelCatalogue.all.map(\.name)).count == ModelCatalogue.all.count)
        #expect(Set(ModelCatalogue.all.map(\.file)).count == ModelCatalogue.all.count)
        for model in ModelCatalogue.all {
            #expect(model.sha256.count == 64 && model.sha256.allSatisfy { "0123456789abcdef".contains($0) })
        }
    }
}
