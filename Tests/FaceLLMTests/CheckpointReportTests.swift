import FoundationEssentials
import Testing

@testable import FaceLLM

@Suite("Reports on checkpoints") struct CheckpointReportTests {
    private let folder: CheckpointFolder

    init() throws { folder = try CheckpointFolder() }

    private func makeTiny() throws -> String {
        try RandomCheckpoint(.tiny, seed: 1).write(to: folder.file("tiny"))
        return folder.file("tiny")
    }

    @Test func theRandomModelIsInOrderAndSaysThatItIsNoise() throws {
        let report = CheckpointReport.examine(try makeTiny(), isDeep: true)
        #expect(report.isUsable && report.faults.isEmpty)
        #expect(report.noise?.contains("random noise") == true)
        #expect(report.architecture?.name == nil)
        #expect(report.stopTokens == [1024, 1026])
        #expect(report.images?.tileSize == 56 && report.images?.tokensPerTile == 4 && report.images?.maxTiles == 1)
        #expect(report.weights?.layout == "B" && report.weights?.hasSeparateHead == true)
        #expect(report.weights?.elementTypes == ["BF16": report.weights?.tensors ?? 0])
        let size = try folder.read("tiny/model.safetensors").count
        #expect(report.weights?.files == [.init(name: "model.safetensors", bytes: size)])
        let parameters = try #require(report.architecture?.parameters)
        #expect(report.values == .init(checked: parameters, total: parameters))
        #expect(report.tokenizer?.specialTokens["<IMG_CONTEXT>"] == 1048)
        #expect(report.remarks.contains { $0.contains("<video>") })
        #expect(report.text.contains("noise") && report.text.contains("can be run"))
    }

    @Test func theOneBIsKnownByItsSizes() {
        // Of the report only what follows from the configuration: the weights would take 1.9 GB.
        let architecture = CheckpointReport.Architecture(RandomCheckpoint(.oneB(vocabulary: ""), seed: 1).configuration)
        #expect(architecture.name == "InternVL3-1B")
        #expect(architecture.vision.parameters == 304_012_288)
        #expect(architecture.projector.parameters == 4_482_816)
        #expect(architecture.text.parameters == 629_697_920)
        #expect(architecture.memory.bf16 == 1_608_794_112)
        #expect(architecture.memory.cachePerToken == 24_576)
    }

    @Test func aSampleIsLessThanAll() throws {
        let report = CheckpointReport.examine(try makeTiny())
        let values = try #require(report.values)
        #expect(report.isUsable && values.checked < values.total && values.checked > 0)
    }

    // MARK: - Faults

    @Test func everyMissingAndMisshapenTensorIsListed() throws {
        let model = try SyntheticModel()
        var items = model.items()
        let gone = items.filter { $0.name.contains("mlp.") }.map(\.name)
        items.removeAll { gone.contains($0.name) }
        let bent = try #require(items.firstIndex { $0.name == TensorNames.textFinalNorm })
        items[bent].shape.append(1)
        try folder.write(SyntheticModel.config, to: "config.json")
        try folder.write(SafetensorsWriter.file(items), to: "model.safetensors")
        let report = CheckpointReport.examine(folder.path)
        #expect(!report.isUsable && gone.count == 7)
        #expect(Set(report.faults.filter { $0.kind == .missingTensor }.compactMap(\.tensor)) == Set(gone))
        #expect(report.faults.filter { $0.kind == .wrongShape }.map(\.tensor) == [TensorNames.textFinalNorm])
        // The tokenizer is missing as well, and that is told besides.
        #expect(report.faults.contains { $0.expected.contains("tokenizer.json") })
        for name in gone { #expect(report.text.contains("\"\(name)\"")) }
        #expect(report.text.contains("cannot be run"))
    }

    @Test func aFusedTensorIsToldOfOnce() throws {
        let model = try SyntheticModel()
        let name = "vision_model.encoder.layers.0.attn.qkv.weight"
        let items = model.items(.chat).filter { $0.name != name }
        try folder.write(SyntheticModel.config, to: "config.json")
        try folder.write(SafetensorsWriter.file(items), to: "model.safetensors")
        let report = CheckpointReport.examine(folder.path)
        #expect(report.faults.filter { $0.kind == .missingTensor }.map(\.tensor) == [name])
        #expect(report.weights?.layout == "A")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func aNumberThatIsNoneIsFound(value: Float) throws {
        var model = try SyntheticModel()
        let name = TensorNames.TextLayer(0).gate
        var tensor = try #require(model.tensors[name])
        tensor.values[tensor.columns + 3] = value
        model.tensors[name] = tensor
        try model.write(to: folder)
        let report = CheckpointReport.examine(folder.path, isDeep: true)
        let fault = try #require(report.faults.first { $0.tensor == name })
        #expect(fault.kind == .malformed && fault.found.contains("row 1"))
    }

    @Test func surplusTensorsAreARemark() throws {
        let model = try SyntheticModel()
        let more = SafetensorsWriter.Item("rotary.inv_freq", Tensor(shape: [1], values: [1]))
        try folder.write(SyntheticModel.config, to: "config.json")
        try folder.write(SafetensorsWriter.file(model.items() + [more]), to: "model.safetensors")
        let report = CheckpointReport.examine(folder.path)
        #expect(report.remarks.contains { $0.contains("rotary.inv_freq") })
        #expect(!report.faults.contains { $0.tensor != nil })
    }

    @Test func aTokenizerOfAnotherModelIsFound() throws {
        let path = try makeTiny()
        let name = "tiny/config.json"
        let config = String(decoding: try folder.read(name), as: UTF8.self)
        try folder.write(config.replacing("\"image_token_id\": 1048", with: "\"image_token_id\": 1047"), to: name)
        let other = CheckpointReport.examine(path)
        #expect(other.faults.map(\.key) == ["tokenizer"] && other.faults.first?.found.contains("1048") == true)

        try folder.write("{\"<img>\": 3000}", to: "tiny/added_tokens.json")
        try folder.write("{}", to: "tiny/tokenizer_config.json")
        let beyond = CheckpointReport.examine(path)
        // The token with too large an id, and the four that are not there.
        #expect(beyond.faults.filter { $0.key == "tokenizer" }.count == 5)
    }

    @Test func faultsOfSideFilesAreAllTold() throws {
        let path = try makeTiny()
        try folder.write("{\"eos_token_id\": -1}", to: "tiny/generation_config.json")
        try folder.write("{\"resample\": 2}", to: "tiny/preprocessor_config.json")
        let report = CheckpointReport.examine(path)
        #expect(report.faults.map(\.key) == ["eos_token_id", "resample"])
        #expect(report.stopTokens == nil && report.images == nil && report.weights != nil)
    }

    @Test func whatIsNoModelIsAFault() throws {
        #expect(CheckpointReport.examine(folder.path).faults.map(\.kind) == [.unreadable])
        #expect(CheckpointReport.examine(folder.file("absent")).faults.first?.found == "nothing of this name")
        try folder.write("{", to: "config.json")
        #expect(CheckpointReport.examine(folder.path).faults.map(\.kind) == [.malformed])
        try folder.write(SyntheticModel.config, to: "config.json")
        let report = CheckpointReport.examine(folder.path)
        #expect(report.architecture != nil && report.weights == nil)
        #expect(report.faults.contains { $0.expected.contains("model.safetensors") })
    }

    @Test func jsonSaysTheSame() throws {
        let report = CheckpointReport.examine(try makeTiny())
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(report.json().utf8))
        #expect(value["is_usable"] == .bool(true))
        #expect(value["report"]?["architecture"]?["memory"]?["cache_per_token"] == .number(768))
        #expect(value["report"]?["tokenizer"]?["special_tokens"]?["<img>"] == .number(1046))
        #expect(value["report"]?["stop_tokens"] == .array([.number(1024), .number(1026)]))
        #expect(value["report"]?["faults"] == .array([]))
    }
}

@Suite("Reports on recorded checkpoints", .enabled(if: CheckpointFixtures.isPresent, CheckpointFixtures.absence))
struct CheckpointReportConformanceTests {
    private func report(_ name: String) -> CheckpointReport {
        CheckpointReport.examine(CheckpointFixtures.path(name), isDeep: true)
    }

    @Test(arguments: [
        ("tiny-internvl-hf", "B", "F32", false), ("tiny-internvl-hf-sharded", "B", "F32", false),
        ("tiny-internvl-hf-bf16", "B", "BF16", false), ("tiny-internvl-chat", "A", "F32", true),
        ("tiny-internvl-hf-untied", "B", "F32", true), ("tiny-internvl-hf-vit6b", "B", "F32", true),
        ("tiny-internvl-chat-vit6b", "A", "F32", true),
    ])
    func everyModelIsInOrder(name: String, layout: String, type: String, hasHead: Bool) throws {
        let report = report(name)
        #expect(report.faults == [])
        #expect(report.noise == nil && report.architecture?.name == nil)
        #expect(report.weights?.layout == layout && report.weights?.hasSeparateHead == hasHead)
        #expect(report.weights?.elementTypes.keys.sorted() == [type])
        #expect(report.weights?.files.count == (name.hasSuffix("sharded") ? 2 : 1))
        #expect(report.stopTokens?.contains(1026) == true && report.stopTokens?.contains(1024) == true)
        #expect(report.images?.tileSize == 56 && report.images?.tokensPerTile == 4 && report.images?.maxTiles == 1)
        #expect(report.values?.checked == report.values?.total)
        let isChat = name.contains("chat")
        #expect(report.tokenizer?.kind == (isChat ? "vocab.json and merges.txt" : "tokenizer.json"))
    }

    @Test func anAdapterIsNoModel() {
        let report = report("tiny-lora")
        #expect(report.faults.first?.found == "an adapter")
    }
}
