import Faces
import Foundation
import Testing

/// The models that scripts/setup installs.
private enum InstalledModels {
    static let folder = ModelFolder.standard(environment: ProcessInfo.processInfo.environment)
    static let arePresent = (try? folder.verifiedPath(of: ModelCatalogue.gender)) != nil
}

@Suite(.enabled(if: InstalledModels.arePresent, "the models are not installed: run scripts/setup"))
struct CompiledModelCacheTests {
    /// The network's answer to one made-up input.
    private func answer(cache: String?) throws -> [Float] {
        let core = try InferenceCore(cacheFolder: cache)
        let network = try Network(
            core: core,
            name: "gender",
            path: try InstalledModels.folder.verifiedPath(of: ModelCatalogue.gender),
            inputShape: [1, 3, 32, 32]
        )
        return try network.run { input in
            for index in 0..<network.inputCount { input[index] = Float(index % 97) / 97 - 0.5 }
        } read: {
            Array($0[0])
        }
    }

    @Test("a damaged, cut or half-written cache changes no answer, and is made again")
    func damage() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cache-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let expected = try answer(cache: nil)
        #expect(try answer(cache: folder.path) == expected)
        let blob = try #require(try blobs(in: folder).first)
        let good = try Data(contentsOf: blob)
        #expect(try answer(cache: folder.path) == expected)

        var garbled = good
        for index in good.count / 2..<good.count / 2 + 4096 { garbled[index] ^= 0x5A }
        for bad in [garbled, good.prefix(good.count / 2), Data()] {
            try FileManager.default.removeItem(at: blob)
            try bad.write(to: blob)
            #expect(try answer(cache: folder.path) == expected)
            #expect(try Data(contentsOf: blob) != bad, "it is made again")
        }
        try FileManager.default.removeItem(at: blob.deletingLastPathComponent().appending(path: "checksums"))
        #expect(try answer(cache: folder.path) == expected)
        #expect(try blobs(in: folder).count == 1, "nothing is left behind")
    }

    @Test("a cache that cannot be written costs nothing but time")
    func unwritable() throws {
        #expect(try answer(cache: "/proc/no/such/folder") == answer(cache: nil))
    }

    private func blobs(in folder: URL) throws -> [URL] {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "blob" }
    }
}
