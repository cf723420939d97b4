import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import FaceLLM

/// The tiny models with recorded values, beside the package or where `FACELLM_CONFORMANCE` says.
enum CheckpointFixtures {
    static let root: String = {
        if let named = ProcessInfo.processInfo.environment["FACELLM_CONFORMANCE"] { return named }
        // <package>/Tests/FaceLLMTests/<this file>
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return package.deletingLastPathComponent().appending(path: "shared/conformance").path
    }()

    static var isPresent: Bool { FileManager.default.fileExists(atPath: "\(root)/tiny-internvl-hf/config.json") }

    static let absence: Comment =
        "the conformance folder is absent: put it at ../shared/conformance or name it in FACELLM_CONFORMANCE"

    static func path(_ name: String) -> String { "\(root)/\(name)" }

    static func open(_ name: String, adapters: [String] = []) throws -> Checkpoint {
        try Checkpoint.open(path(name), adapters: adapters.map(path))
    }
}

/// A folder that goes away with this object.
final class CheckpointFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "facellm-checkpoint-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a new file; an older one of this name is removed rather than overwritten, for it may still be mapped.
    ///
    /// `Data.write` waits for the disk (fsync), which would take most of the time of the fuzz tests.
    func write(_ bytes: [UInt8], to name: String) throws {
        let path = file(name)
        unlink(path)
        let stream = try #require(fopen(path, "w"))
        let written = fwrite(bytes, 1, bytes.count, stream)
        try #require(fclose(stream) == 0 && written == bytes.count)
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    func read(_ name: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(filePath: file(name)))) }

    func copy(_ source: String, to name: String) throws {
        try FileManager.default.copyItem(atPath: source, toPath: file(name))
    }
}

/// Writes safetensors files, right and wrong ones.
enum SafetensorsWriter {
    struct Item {
        var name: String
        var type = "F32"
        var shape: [Int]
        var data: [UInt8]

        init(_ name: String, type: String = "F32", shape: [Int], data: [UInt8]) {
            (self.name, self.type, self.shape, self.data) = (name, type, shape, data)
        }

        init(_ name: String, _ tensor: Tensor) {
            self.init(name, shape: tensor.shape, data: tensor.values.flatMap { SafetensorsWriter.bytes($0.bitPattern) })
        }
    }

    static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// The header's JSON and its length, then the data.
    static func file(header: String, data: [UInt8]) -> [UInt8] {
        bytes(UInt64(header.utf8.count)) + Array(header.utf8) + data
    }

    static func file(_ items: [Item]) -> [UInt8] {
        var entries = ["\"__metadata__\":{\"format\":\"pt\"}"]
        var data: [UInt8] = []
        for item in items {
            let begin = data.count
            data += item.data
            entries.append(entry(item.name, type: item.type, shape: item.shape, begin, data.count))
        }
        var header = "{\(entries.joined(separator: ","))}"
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        return file(header: header, data: data)
    }

    static func entry(_ name: String, type: String = "F32", shape: [Int], _ begin: Int, _ end: Int) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
    }
}

/// The smallest model that has every kind of tensor, for tests that need no recorded values.
struct SyntheticModel {
    static let config = """
        {"model_type": "internvl", "image_token_id": 3, "image_seq_length": 1, "downsample_ratio": 0.5,
         "vision_config": {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12,
          "image_size": [4, 4], "patch_size": [2, 2], "attention_bias": true},
         "text_config": {"model_type": "qwen2", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
          "num_key_value_heads": 1, "intermediate_size": 12, "vocab_size": 16, "rope_theta": 1000000.0,
          "tie_word_embeddings": false}}
        """

    /// By canonical names.
    var tensors: [String: Tensor] = [:]
    let configuration: ModelConfiguration

    init(seed: UInt64 = 1) throws {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(Self.config.utf8))
        guard case .object(let members) = value else {
            throw CheckpointError(.malformed, file: "config.json", expected: "an object", found: value.brief)
        }
        configuration = try ModelConfiguration(file: "config.json", members: members)
        var generator = SeededGenerator(seed: seed)
        for requirement in TensorNames.required(by: configuration) {
            let values = (0..<requirement.shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &generator) }
            tensors[requirement.name] = Tensor(shape: requirement.shape, values: values)
        }
    }

    /// The tensors as a file of a layout holds them, in the order of their names.
    func items(_ layout: Layout = .huggingFace) -> [SafetensorsWriter.Item] {
        var stored: [String: [Int: Tensor]] = [:]
        for (name, tensor) in tensors {
            let location = layout.location(of: name)
            stored[location.name, default: [:]][location.third ?? 0] = tensor
        }
        return stored.sorted { $0.key < $1.key }.map { name, parts in
            let ordered = parts.sorted { $0.key < $1.key }.map(\.value)
            let shape = [ordered.reduce(0) { $0 + $1.shape[0] }] + ordered[0].shape.dropFirst()
            return .init(name, Tensor(shape: shape, values: ordered.flatMap(\.values)))
        }
    }

    func write(to folder: CheckpointFolder, layout: Layout = .huggingFace) throws {
        try folder.write(Self.config, to: "config.json")
        try folder.write(SafetensorsWriter.file(items(layout)), to: "model.safetensors")
    }
}

/// The error that opening throws; the test fails where it does not.
func checkpointError(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> CheckpointError? {
    do {
        try body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let error as CheckpointError {
        #expect(!error.file.isEmpty && !error.expected.isEmpty && !error.found.isEmpty, sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
    return nil
}
