import FoundationEssentials
import Testing

@testable import FaceLLM

@Suite("Opening checkpoints") struct CheckpointLoadingTests {
    private let model: SyntheticModel

    init() throws { model = try SyntheticModel() }

    private func refused(_ folder: CheckpointFolder, sourceLocation: SourceLocation = #_sourceLocation) throws
        -> CheckpointError
    {
        let error = checkpointError({ _ = try Checkpoint.open(folder.path) }, sourceLocation: sourceLocation)
        return try #require(error, sourceLocation: sourceLocation)
    }

    @Test(arguments: Layout.allCases) func everyLayoutReadsTheSame(_ layout: Layout) throws {
        let folder = try CheckpointFolder()
        try model.write(to: folder, layout: layout)
        let checkpoint = try Checkpoint.open(folder.path)
        #expect(checkpoint.layout == layout && checkpoint.configuration == model.configuration)
        #expect(checkpoint.weights.names == Set(model.tensors.keys))
        for (name, tensor) in model.tensors {
            #expect(try checkpoint.weights.tensor(name, shape: tensor.shape) == tensor, "\(name)")
        }
        #expect(checkpointError { _ = try checkpoint.weights.tensor("x", shape: [1]) }?.kind == .missingTensor)
        #expect(
            checkpointError { _ = try checkpoint.weights.tensor(TensorNames.textFinalNorm, shape: [9]) }?.kind
                == .wrongShape
        )
    }

    @Test func namesOfTheChatLayout() {
        let names = [
            "vision_tower.encoder.layer.7.attention.k_proj.bias": "vision_model.encoder.layers.7.attn.qkv.bias",
            "vision_tower.encoder.layer.7.attention.projection_layer.weight":
                "vision_model.encoder.layers.7.attn.proj.weight",
            "vision_tower.encoder.layer.7.lambda_2": "vision_model.encoder.layers.7.ls2",
            "vision_tower.encoder.layer.7.layernorm_before.weight": "vision_model.encoder.layers.7.norm1.weight",
            "vision_tower.encoder.layer.7.mlp.fc1.bias": "vision_model.encoder.layers.7.mlp.fc1.bias",
            "multi_modal_projector.linear_2.bias": "mlp1.3.bias",
            "language_model.lm_head.weight": "language_model.lm_head.weight",
        ]
        for (ours, theirs) in names { #expect(Layout.chat.location(of: ours).name == theirs) }
        #expect(Layout.nested.location(of: TensorNames.head).name == "lm_head.weight")
        #expect(Layout.nested.location(of: TensorNames.textFinalNorm).name == "model.language_model.norm.weight")
    }

    /// Each tensor in turn is left out, and given another shape, in each layout.
    @Test(arguments: Layout.allCases) func everyTensorIsChecked(_ layout: Layout) throws {
        let items = model.items(layout)
        for index in items.indices {
            let folder = try CheckpointFolder()
            try folder.write(SyntheticModel.config, to: "config.json")
            var changed = items
            changed.remove(at: index)
            try folder.write(SafetensorsWriter.file(changed), to: "model.safetensors")
            let missing = try refused(folder)
            #expect(missing.kind == .missingTensor && missing.tensor == items[index].name, "\(missing)")

            changed = items
            changed[index].shape.append(1)
            try folder.write(SafetensorsWriter.file(changed), to: "model.safetensors")
            let misshapen = try refused(folder)
            #expect(misshapen.kind == .wrongShape && misshapen.tensor == items[index].name, "\(misshapen)")
            #expect(misshapen.file == folder.file("model.safetensors"))
            #expect(misshapen.found == "\(changed[index].shape)")
            #expect(misshapen.expected == "\(items[index].shape)")

            changed = items
            changed[index].type = "I32"
            try folder.write(SafetensorsWriter.file(changed), to: "model.safetensors")
            let mistyped = try refused(folder)
            #expect(mistyped.kind == .wrongType && mistyped.tensor == items[index].name, "\(mistyped)")
        }
    }

    @Test func unknownArchitecture() throws {
        let folder = try CheckpointFolder()
        try folder.write(SyntheticModel.config, to: "config.json")
        let tensor = Tensor(shape: [1], values: [0])
        try folder.write(SafetensorsWriter.file([.init("model.layers.0.w", tensor)]), to: "model.safetensors")
        #expect(try refused(folder).kind == .unknownArchitecture)
        let both = model.items(.chat) + [.init("vision_tower.embeddings.cls_token", tensor)]
        try folder.write(SafetensorsWriter.file(both), to: "model.safetensors")
        #expect(try refused(folder).found == "vision_tower.* and vision_model.*")
        try folder.write(SafetensorsWriter.file([]), to: "model.safetensors")
        #expect(try refused(folder).found == "no tensors")
    }

    @Test func foldersThatAreNoModels() throws {
        let folder = try CheckpointFolder()
        #expect(try refused(folder).found == "a folder without it")
        try folder.write("{}", to: "adapter_config.json")
        #expect(try refused(folder).found == "an adapter")
        try folder.write(SyntheticModel.config, to: "config.json")
        #expect(try refused(folder).expected.contains("model.safetensors"))
        try folder.write("x", to: "pytorch_model.bin")
        #expect(try refused(folder).found == "pytorch_model.bin")
        for path in [folder.file("none"), folder.file("config.json"), ""] {
            #expect(checkpointError { _ = try Checkpoint.open(path.isEmpty ? folder.file("") + "none" : path) } != nil)
        }
    }

    /// Without a head in the file, the flag decides: a tie is used, no tie means that a tensor is missing.
    @Test func tie() throws {
        let folder = try CheckpointFolder()
        let items = model.items().filter { $0.name != TensorNames.head }
        try folder.write(SafetensorsWriter.file(items), to: "model.safetensors")
        let tied = SyntheticModel.config.split(separator: "\"tie_word_embeddings\": false")
            .joined(separator: "\"tie_word_embeddings\": true")
        try folder.write(tied, to: "config.json")
        let checkpoint = try Checkpoint.open(folder.path)
        #expect(checkpoint.configuration.text.tiesEmbeddings)
        #expect(!checkpoint.weights.names.contains(TensorNames.head))
        try folder.write(SyntheticModel.config, to: "config.json")
        let error = try refused(folder)
        #expect(error.kind == .missingTensor && error.tensor == TensorNames.head)
    }

    // MARK: - Shards

    /// Writes the model in two shards.
    ///
    /// - Parameter change: makes the map wrong.
    private func sharded(
        _ folder: CheckpointFolder,
        change: (inout [String: String], [SafetensorsWriter.Item]) -> Void = { _, _ in }
    ) throws {
        let items = model.items()
        let half = items.count / 2
        try folder.write(SyntheticModel.config, to: "config.json")
        try folder.write(SafetensorsWriter.file(Array(items[..<half])), to: "one.safetensors")
        try folder.write(SafetensorsWriter.file(Array(items[half...])), to: "two.safetensors")
        var map: [String: String] = [:]
        for (index, item) in items.enumerated() {
            map[item.name] = index < half ? "one.safetensors" : "two.safetensors"
        }
        change(&map, items)
        let data = try JSONEncoder().encode(["weight_map": map])
        try folder.write(Array(data), to: "model.safetensors.index.json")
    }

    @Test func shards() throws {
        let folder = try CheckpointFolder()
        try sharded(folder)
        let checkpoint = try Checkpoint.open(folder.path)
        for (name, tensor) in model.tensors {
            #expect(try checkpoint.weights.tensor(name, shape: tensor.shape) == tensor, "\(name)")
        }
        // The single file goes before the index.
        try folder.write("broken", to: "model.safetensors")
        #expect(try refused(folder).file == folder.file("model.safetensors"))
    }

    @Test func missingShardIsNamed() throws {
        let folder = try CheckpointFolder()
        try sharded(folder)
        try FileManager.default.removeItem(atPath: folder.file("two.safetensors"))
        let error = try refused(folder)
        #expect(error.kind == .unreadable && error.file == folder.file("two.safetensors") && error.code == 2)
    }

    @Test func truncatedShardIsNamed() throws {
        let folder = try CheckpointFolder()
        try sharded(folder)
        try folder.write(Array(folder.read("two.safetensors").dropLast()), to: "two.safetensors")
        let error = try refused(folder)
        #expect(error.kind == .truncated && error.file == folder.file("two.safetensors"))
        #expect(error.tensor == model.items().last?.name)
    }

    @Test func indexThatDisagrees() throws {
        let folder = try CheckpointFolder()
        try sharded(folder) { map, items in map[items[0].name] = "two.safetensors" }
        #expect(try refused(folder).kind == .missingTensor)
        try sharded(folder) { map, items in map[items[0].name] = nil }
        let error = try refused(folder)
        #expect(error.kind == .malformed && error.tensor == model.items()[0].name)
        try sharded(folder) { map, _ in map["surplus"] = "one.safetensors" }
        #expect(try refused(folder).tensor == "surplus")
    }

    @Test(arguments: [
        "../one.safetensors", "/etc/one.safetensors", "a/../one.safetensors", "..\\one.safetensors", "..", "",
        "one.safetensors\0", "one.bin", "./one.safetensors",
    ])
    func indexLeadsNowhereElse(_ shard: String) throws {
        let folder = try CheckpointFolder()
        try sharded(folder) { map, items in map[items[0].name] = shard }
        let error = try refused(folder)
        #expect(error.kind == .malformed && error.file == folder.file("model.safetensors.index.json"), "\(error)")
    }

    @Test(arguments: ["{}", "[]", "{\"weight_map\": {}}", "{\"weight_map\": {\"a\": 1}}", "", "{\"weight_map\": [1]}"])
    func indexIsNotAnIndex(_ text: String) throws {
        let folder = try CheckpointFolder()
        try folder.write(SyntheticModel.config, to: "config.json")
        try folder.write(text, to: "model.safetensors.index.json")
        #expect(try refused(folder).kind == .malformed)
    }

    @Test func tensorsAreAddressedByRow() {
        let tensor = Tensor(shape: [2, 3], values: [0, 1, 2, 3, 4, 5])
        #expect(tensor.rows == 2 && tensor.columns == 3)
        #expect(tensor[1, 2] == 5 && Array(tensor.row(1)) == [3, 4, 5])
        #expect(Tensor(shape: [], values: [7])[] == 7)
        #expect(Tensor(shape: [0, 1 << 40, 1 << 40], values: []).columns == 0)
    }
}
