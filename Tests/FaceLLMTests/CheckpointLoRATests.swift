import FoundationEssentials
import TestSupport
import Testing

@testable import FaceLLM

@Suite("LoRA adapters") struct CheckpointLoRATests {
    private let model: SyntheticModel
    private let base: CheckpointFolder

    init() throws {
        model = try SyntheticModel()
        base = try CheckpointFolder()
        try model.write(to: base)
    }

    /// W + s·B·A in double precision.
    private func merged(_ weight: Tensor, a: Tensor, b: Tensor, scaling: Double) -> [Double] {
        var result = weight.values.map(Double.init)
        for row in 0..<weight.rows {
            for column in 0..<weight.columns {
                var sum = 0.0
                for index in 0..<a.rows { sum += Double(b[row, index]) * Double(a[index, column]) }
                result[row * weight.columns + column] += scaling * sum
            }
        }
        return result
    }

    private func expectClose(_ values: [Float], _ reference: [Double], _ name: String) {
        let worst = zip(values, reference).reduce(0.0) { max($0, abs(Double($1.0) - $1.1)) }
        let largest = reference.reduce(1.0) { max($0, abs($1)) }
        #expect(values.count == reference.count && worst <= 1e-6 * largest, "\(name): \(worst)")
    }

    private func adapter(
        _ items: [SafetensorsWriter.Item],
        config: String = "\"r\": 2, \"lora_alpha\": 6"
    ) throws -> CheckpointFolder {
        let folder = try CheckpointFolder()
        try folder.write("{\"peft_type\": \"LORA\", \(config)}", to: "adapter_config.json")
        try folder.write(SafetensorsWriter.file(items), to: "adapter_model.safetensors")
        return folder
    }

    private func pair(_ module: String, out: Int, in width: Int, rank: Int = 2) -> (
        items: [SafetensorsWriter.Item], a: Tensor, b: Tensor
    ) {
        var generator = SeededGenerator(seed: 9)
        func random(_ shape: [Int]) -> Tensor {
            Tensor(shape: shape, values: (0..<shape[0] * shape[1]).map { _ in .random(in: -1...1, using: &generator) })
        }
        let (a, b) = (random([rank, width]), random([out, rank]))
        let name = "base_model.model.\(module)"
        return ([.init("\(name).lora_A.weight", a), .init("\(name).lora_B.weight", b)], a, b)
    }

    private func refused(_ folder: CheckpointFolder, sourceLocation: SourceLocation = #_sourceLocation) throws
        -> CheckpointError
    {
        let error = checkpointError(
            { _ = try Checkpoint.open(base.path, adapters: [folder.path]) },
            sourceLocation: sourceLocation
        )
        return try #require(error, sourceLocation: sourceLocation)
    }

    @Test(
        "The recorded adapters",
        .enabled(if: CheckpointFixtures.isPresent, CheckpointFixtures.absence),
        arguments: [("tiny-lora", 21), ("tiny-lora-all", 30)]
    )
    func recorded(_ name: String, changes: Int) throws {
        let plain = try CheckpointFixtures.open("tiny-internvl-hf").weights
        let adapted = try CheckpointFixtures.open("tiny-internvl-hf", adapters: [name]).weights
        let file = try SafetensorsFile(path: CheckpointFixtures.path("\(name)/adapter_model.safetensors"))
        #expect(plain.names == adapted.names)
        var changed = 0
        for tensor in plain.names.sorted() {
            let shape = try #require(plain.shape(of: tensor))
            let (before, after) = (try plain.tensor(tensor, shape: shape), try adapted.tensor(tensor, shape: shape))
            let module = "base_model.model." + Layout.nested.location(of: tensor).name.dropLast(".weight".count)
            guard let a = file.shape(of: "\(module).lora_A.weight"), let b = file.shape(of: "\(module).lora_B.weight")
            else {
                #expect(before == after, "\(tensor)")
                continue
            }
            changed += 1
            let (left, right) = (
                try file.tensor("\(module).lora_B.weight", shape: b),
                try file.tensor("\(module).lora_A.weight", shape: a)
            )
            // alpha 8, rank 4
            expectClose(after.values, merged(before, a: right, b: left, scaling: 2), tensor)
            #expect(before != after, "\(tensor)")
        }
        #expect(changed == changes && file.names.count == 2 * changes)
    }

    @Test(arguments: [
        ("model.language_model.layers.0.mlp.up_proj", false), ("language_model.model.layers.0.mlp.up_proj", false),
        ("model.language_model.layers.0.mlp.up_proj", true),
    ])
    func scalingAndNames(_ module: String, usesRankStabilisation: Bool) throws {
        let pair = pair(module, out: 12, in: 8)
        let folder = try adapter(
            pair.items,
            config: "\"r\": 2, \"lora_alpha\": 6, \"use_rslora\": \(usesRankStabilisation)"
        )
        let weights = try Checkpoint.open(base.path, adapters: [folder.path]).weights
        let name = TensorNames.TextLayer(0).up
        let before = try #require(model.tensors[name])
        let scaling = usesRankStabilisation ? 6 / 2.0.squareRoot() : 3
        let reference = merged(before, a: pair.a, b: pair.b, scaling: scaling)
        expectClose(try weights.tensor(name, shape: [12, 8]).values, reference, name)
    }

    @Test func fusedAttentionOfTheChatLayout() throws {
        let pair = pair("vision_model.encoder.layers.0.attn.qkv", out: 24, in: 8)
        let folder = try adapter(pair.items)
        let weights = try Checkpoint.open(base.path, adapters: [folder.path]).weights
        let block = TensorNames.VisionBlock(0)
        for (third, name) in [block.query, block.key, block.value].map({ "\($0).weight" }).enumerated() {
            let part = Tensor(shape: [8, 2], values: Array(pair.b.values[third * 16..<(third + 1) * 16]))
            let before = try #require(model.tensors[name])
            let reference = merged(before, a: pair.a, b: part, scaling: 3)
            expectClose(try weights.tensor(name, shape: [8, 8]).values, reference, name)
        }
    }

    @Test func severalAdaptersAdd() throws {
        let pair = pair("lm_head", out: 16, in: 8)
        let folder = try adapter(pair.items)
        let weights = try Checkpoint.open(base.path, adapters: [folder.path, folder.path + "/"]).weights
        let before = try #require(model.tensors[TensorNames.head])
        let reference = merged(before, a: pair.a, b: pair.b, scaling: 6)
        expectClose(try weights.tensor(TensorNames.head, shape: [16, 8]).values, reference, "lm_head")
    }

    @Test func adaptersThatDoNotFit() throws {
        let module = "model.language_model.layers.0.mlp.up_proj"
        let good = pair(module, out: 12, in: 8).items
        #expect(
            try refused(adapter(pair(module, out: 11, in: 8).items)).tensor
                == "base_model.model.\(module).lora_B.weight"
        )
        #expect(
            try refused(adapter(pair(module, out: 12, in: 7).items)).tensor
                == "base_model.model.\(module).lora_A.weight"
        )
        #expect(try refused(adapter(pair(module, out: 12, in: 8, rank: 3).items)).expected == "shape [2, 8]")
        let elsewhere = pair("model.language_model.layers.1.mlp.up_proj", out: 12, in: 8).items
        #expect(try refused(adapter(elsewhere)).kind == .adapterMismatch)
        #expect(try refused(adapter([good[0]])).kind == .missingTensor)
        #expect(try refused(adapter([])).kind == .adapterMismatch)
        let norm = pair("model.language_model.norm", out: 8, in: 1).items
        #expect(try refused(adapter(norm)).kind == .adapterMismatch)
        var other = good
        other[0].name = "base_model.model.\(module).lora_magnitude_vector"
        #expect(try refused(adapter(other)).tensor == other[0].name)
        var mistyped = good
        mistyped[0].type = "I32"
        #expect(try refused(adapter(mistyped)).kind == .wrongType)
        let twice = good + pair("language_model.model.layers.0.mlp.up_proj", out: 12, in: 8).items
        #expect(try refused(adapter(twice)).kind == .adapterMismatch)
    }

    @Test(arguments: [
        "\"lora_alpha\": 6", "\"r\": 0, \"lora_alpha\": 6", "\"r\": 2",
        "\"r\": 2, \"lora_alpha\": 6, \"use_dora\": true",
        "\"r\": 2, \"lora_alpha\": 6, \"fan_in_fan_out\": true", "\"r\": 2, \"lora_alpha\": 6, \"bias\": \"all\"",
        "\"r\": 2, \"lora_alpha\": 6, \"alpha_pattern\": {\"up_proj\": 3}",
        "\"r\": 2, \"lora_alpha\": 6, \"modules_to_save\": [\"lm_head\"]",
        "\"r\": 2, \"lora_alpha\": 6, \"init_lora_weights\": \"pissa\"",
        "\"r\": 2, \"lora_alpha\": 6, \"layer_replication\": [[0, 1]]",
    ])
    func configurationsThatAreRefused(_ config: String) throws {
        let good = pair("model.language_model.layers.0.mlp.up_proj", out: 12, in: 8).items
        let error = try refused(adapter(good, config: config))
        #expect(error.key != nil && error.file.hasSuffix("adapter_config.json"), "\(error)")
    }

    @Test func otherKindsOfAdapters() throws {
        let folder = try adapter([])
        try folder.write("{\"peft_type\": \"IA3\"}", to: "adapter_config.json")
        #expect(try refused(folder).found == "\"IA3\"")
        try FileManager.default.removeItem(atPath: folder.file("adapter_config.json"))
        #expect(try refused(folder).kind == .unreadable)
    }
}
