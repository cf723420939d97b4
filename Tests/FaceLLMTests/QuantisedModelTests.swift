import Foundation
import Testing

@testable import FaceLLM

/// Quantised weights: near the reference, kept in a file, made again where the file is not to be trusted.
@Suite struct QuantisedModelTests {
    private static let int8 = ModelPrecision(vision: .int8, text: .int8)

    /// A folder that goes away with the test.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "facellm-packed-\(UUID().uuidString)").path
        deinit { try? FileManager.default.removeItem(atPath: path) }

        var packed: [String] {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return files.filter { $0.hasSuffix(".packed") }.sorted().map { "\(path)/\($0)" }
        }
    }

    private func engine(_ precision: ModelPrecision, cache: String? = nil) throws -> Engine {
        try EngineFixtures.engine {
            $0.precision = precision
            $0.weightCache = cache
        }
    }

    private func logits(_ engine: Engine) throws -> [Float] {
        let tiles = try engine.tiles(of: try EngineFixtures.picture(1))
        return try engine.promptLogits(engine.builder.face("What is it?"), pictures: [tiles]).values
    }

    private func cosine(_ a: [Float], _ b: [Float]) -> Double {
        var ab = 0.0, aa = 0.0, bb = 0.0
        for (x, y) in zip(a, b) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return ab / (aa * bb).squareRoot()
    }

    @Test(
        "features and logits stay near the reference",
        arguments: [
            (ModelPrecision(vision: .bf16, text: .bf16), 0.9999999, 0.9999999),
            (ModelPrecision(vision: .int8, text: .f32), 0.998, 0.998),
            (ModelPrecision(vision: .f32, text: .int8), 0.9999999, 0.995),
            (ModelPrecision(vision: .int8, text: .int8), 0.998, 0.995),
            (ModelPrecision(vision: .int8, text: .int4), 0.998, 0.9),
            (ModelPrecision(vision: .int4, text: .int4), 0.9, 0.9),
        ]
    )
    func nearTheReference(_ precision: ModelPrecision, features: Double, logits least: Double) throws {
        let reference = try engine(.reference), other = try engine(precision)
        let tiles = try reference.tiles(of: try EngineFixtures.picture(1))
        let a = try reference.features(of: tiles), b = try other.features(of: tiles)
        #expect(cosine(a.values, b.values) > features)
        #expect(cosine(try logits(reference), try logits(other)) > least)
        #expect(other.precision == precision.description)
    }

    @Test("the second start maps what the first one made, bit by bit the same")
    func cached() throws {
        let folder = Folder()
        let first = try logits(try engine(Self.int8, cache: folder.path))
        #expect(folder.packed.count == 2)
        let stamps = try folder.packed.map {
            try FileManager.default.attributesOfItem(atPath: $0)[.modificationDate] as? Date
        }
        let second = try logits(try engine(Self.int8, cache: folder.path))
        #expect(first == second)
        #expect(first == (try logits(try engine(Self.int8))))
        let again = try folder.packed.map {
            try FileManager.default.attributesOfItem(atPath: $0)[.modificationDate] as? Date
        }
        #expect(stamps == again)
        // Another combination shares the half that it has in common.
        _ = try engine(ModelPrecision(vision: .int8, text: .int4), cache: folder.path)
        #expect(folder.packed.count == 3)
    }

    @Test("a damaged, cut or foreign file is made again", arguments: [0, 9, 40, 5000, -1, -100, -2])
    func damaged(_ place: Int) throws {
        let folder = Folder()
        let expected = try logits(try engine(Self.int8, cache: folder.path))
        for path in folder.packed {
            var bytes = try Array(Data(contentsOf: URL(filePath: path)))
            switch place {
            case -2: bytes.removeLast(64)
            case -100: bytes = Array("something else".utf8)
            case -1: bytes[bytes.count - 70] ^= 1
            default: bytes[place] ^= 0x40
            }
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        }
        let damaged = try folder.packed.map { try Data(contentsOf: URL(filePath: $0)) }
        #expect(try logits(try engine(Self.int8, cache: folder.path)) == expected)
        let made = try folder.packed.map { try Data(contentsOf: URL(filePath: $0)) }
        for (one, other) in zip(damaged, made) { #expect(one != other) }
        #expect(try logits(try engine(Self.int8, cache: folder.path)) == expected)
    }

    @Test("without a place for the cache everything works")
    func noPlace() throws {
        let expected = try logits(try engine(Self.int8))
        #expect(try logits(try engine(Self.int8, cache: "/proc/no/such/folder")) == expected)
    }

    @Test("several starts at once do not disturb one another")
    func together() async throws {
        let folder = Folder()
        let path = folder.path
        let expected = try logits(try engine(Self.int8))
        let results = await withTaskGroup(of: [Float]?.self) { group in
            for _ in 0..<6 {
                group.addTask { @concurrent in
                    try? QuantisedModelTests().logits(try QuantisedModelTests().engine(Self.int8, cache: path))
                }
            }
            return await group.reduce(into: [[Float]?]()) { $0.append($1) }
        }
        #expect(results.allSatisfy { $0 == expected })
        #expect(folder.packed.count == 2)
        let others = try FileManager.default.contentsOfDirectory(atPath: path).filter {
            !$0.hasSuffix(".packed") && !$0.hasSuffix(".sha256")
        }
        #expect(others.isEmpty)
    }

    @Test("a model is known by its content")
    func identity() throws {
        let folder = Folder()
        let one = folder.path + "/one", other = folder.path + "/other"
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try Data("weights".utf8).write(to: URL(filePath: one))
        try Data("weights".utf8).write(to: URL(filePath: other))
        let memory = folder.path + "/memory"
        let first = try SourceIdentity(files: [one], memory: memory)
        // SHA-256 of the word.
        #expect(first.sha256 == "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c")
        #expect(try SourceIdentity(files: [other], memory: nil) == first)
        #expect(try SourceIdentity(files: [one], memory: memory) == first)
        try Data("weighty".utf8).write(to: URL(filePath: one), options: .atomic)
        #expect(try SourceIdentity(files: [one], memory: memory) != first)
        #expect(throws: CheckpointError.self) { try SourceIdentity(files: [folder.path + "/none"], memory: memory) }
    }
}
