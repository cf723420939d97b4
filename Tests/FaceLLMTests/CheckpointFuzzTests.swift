import TestSupport
import Testing

@testable import FaceLLM

/// Broken input is refused with an error or read; it never traps.
///
/// The seed of a failure is in its message.
@Suite("Mutated checkpoints") struct CheckpointFuzzTests {
    /// One to four changes: bytes replaced, inserted, removed, or a stretch of the text repeated.
    private func mutated(_ bytes: [UInt8], within range: Range<Int>, _ generator: inout SeededGenerator) -> [UInt8] {
        var result = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let upper = min(range.upperBound, result.count)
            guard range.lowerBound < upper else { return result }
            let index = Int.random(in: range.lowerBound..<upper, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: result[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: result[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: result.insert(Array("0123456789-[]{},\":e.".utf8).randomElement(using: &generator) ?? 0, at: index)
            case 3: result.remove(at: index)
            case 4: result.insert(contentsOf: Array("99999999999".utf8), at: index)
            default: result.insert(contentsOf: result[index..<min(index + 40, upper)], at: index)
            }
        }
        return result
    }

    /// Reads everything that an opened file offers.
    private func readAll(_ source: some WeightSource) throws {
        for name in source.names {
            guard let shape = source.shape(of: name) else { continue }
            let values = try source.tensor(name, shape: shape).values
            #expect(values.count == shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue })
        }
    }

    /// - Returns: whether the file was opened.
    private func attempt(_ seed: UInt64, _ body: () throws -> Void) -> Bool {
        do {
            try body()
            return true
        } catch is CheckpointError {
            return false
        } catch {
            Issue.record("seed \(seed): \(error)")
            return false
        }
    }

    @Test func headers() throws {
        let folder = try CheckpointFolder()
        let whole = SafetensorsWriter.file([
            .init("a", Tensor(shape: [2, 3], values: [0, 1, 2, 3, 4, 5])),
            .init("b", type: "BF16", shape: [4], data: [UInt8](repeating: 1, count: 8)),
            .init("c", type: "I64", shape: [1], data: [UInt8](repeating: 2, count: 8)),
        ])
        let headerEnd = whole.count - 40
        for seed in UInt64(0)..<5000 {
            var generator = SeededGenerator(seed: seed)
            // Half of the files keep a correct length before the mutated header, and so reach the JSON.
            var bytes: [UInt8]
            if seed.isMultiple(of: 2) {
                bytes = mutated(whole, within: 0..<headerEnd, &generator)
            } else {
                let header = mutated(Array(whole[8..<headerEnd]), within: 0..<(headerEnd - 8), &generator)
                bytes = SafetensorsWriter.bytes(UInt64(header.count)) + header + whole[headerEnd...]
            }
            if seed.isMultiple(of: 7) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator)) }
            try folder.write(bytes, to: "x.safetensors")
            _ = attempt(seed) { try readAll(SafetensorsFile(path: folder.file("x.safetensors"))) }
        }
    }

    @Test func configurations() throws {
        let folder = try CheckpointFolder()
        let whole = Array(SyntheticModel.config.utf8)
        var opened = 0
        for seed in UInt64(0)..<4000 {
            var generator = SeededGenerator(seed: seed)
            try folder.write(mutated(whole, within: 0..<whole.count, &generator), to: "config.json")
            let isOpen = attempt(seed) {
                let configuration = try ModelConfiguration(path: folder.file("config.json"))
                // What has been accepted can be multiplied out.
                for requirement in TensorNames.required(by: configuration) {
                    #expect(Tensor.count(of: requirement.shape) != nil, "seed \(seed)")
                }
            }
            if isOpen { opened += 1 }
        }
        #expect(opened > 0 && opened < 2000)
    }

    @Test func models() throws {
        let folder = try CheckpointFolder()
        let model = try SyntheticModel()
        try model.write(to: folder)
        let whole = try folder.read("model.safetensors")
        let length = Int(whole[0]) + Int(whole[1]) << 8
        for seed in UInt64(0)..<400 {
            var generator = SeededGenerator(seed: seed)
            let header = mutated(Array(whole[8..<8 + length]), within: 0..<length, &generator)
            let bytes = SafetensorsWriter.bytes(UInt64(header.count)) + header + whole[(8 + length)...]
            try folder.write(bytes, to: "model.safetensors")
            _ = attempt(seed) { _ = try Checkpoint.open(folder.path) }
        }
    }

    @Test func adaptersAndIndexes() throws {
        let base = try CheckpointFolder()
        try SyntheticModel().write(to: base)
        let folder = try CheckpointFolder()
        let name = "base_model.model.lm_head.lora_"
        let weights = SafetensorsWriter.file([
            .init("\(name)A.weight", Tensor(shape: [1, 8], values: [Float](repeating: 1, count: 8))),
            .init("\(name)B.weight", Tensor(shape: [16, 1], values: [Float](repeating: 1, count: 16))),
        ])
        let config = Array("{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 2, \"alpha_pattern\": {}}".utf8)
        let index = Array("{\"weight_map\": {\"a\": \"one.safetensors\", \"b\": \"two.safetensors\"}}".utf8)
        for seed in UInt64(0)..<400 {
            var generator = SeededGenerator(seed: seed)
            let isConfig = seed.isMultiple(of: 2)
            try folder.write(
                isConfig ? mutated(config, within: 0..<config.count, &generator) : config,
                to: "adapter_config.json"
            )
            try folder.write(
                isConfig ? weights : mutated(weights, within: 0..<weights.count, &generator),
                to: "adapter_model.safetensors"
            )
            try folder.write(mutated(index, within: 0..<index.count, &generator), to: "model.safetensors.index.json")
            _ = attempt(seed) { _ = try Checkpoint.open(base.path, adapters: [folder.path]) }
            _ = attempt(seed) { _ = try ShardedCheckpoint(directory: folder.path) }
        }
    }
}
