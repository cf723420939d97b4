import FoundationEssentials
import Testing

@testable import FaceLLM

@Suite("Checkpoints of the conformance folder", .enabled(if: CheckpointFixtures.isPresent, CheckpointFixtures.absence))
struct CheckpointConformanceTests {
    @Test(arguments: [
        ("tiny-internvl-hf", Layout.huggingFace), ("tiny-internvl-hf-sharded", .huggingFace),
        ("tiny-internvl-hf-bf16", .huggingFace), ("tiny-internvl-chat", .chat),
        ("tiny-internvl-hf-untied", .huggingFace), ("tiny-internvl-hf-vit6b", .huggingFace),
        ("tiny-internvl-chat-vit6b", .chat),
    ])
    func opens(_ name: String, layout: Layout) throws {
        let checkpoint = try CheckpointFixtures.open(name)
        #expect(checkpoint.layout == layout)
        #expect(checkpoint.configuration.imageTokenID == 1048)
        #expect(checkpoint.configuration.imageTokensPerTile == 4)
        let requirements = TensorNames.required(by: checkpoint.configuration)
        #expect(Set(requirements.map(\.name)) == checkpoint.weights.names)
        for requirement in requirements {
            #expect(checkpoint.weights.shape(of: requirement.name) == requirement.shape)
            let tensor = try checkpoint.weights.tensor(requirement.name, shape: requirement.shape)
            #expect(tensor.values.allSatisfy({ $0.isFinite }), "\(requirement.name)")
        }
    }

    @Test func mainModel() throws {
        let configuration = try CheckpointFixtures.open("tiny-internvl-hf").configuration
        let vision = configuration.vision
        #expect([vision.layers, vision.hiddenSize, vision.attentionHeads, vision.intermediateSize] == [3, 64, 4, 128])
        #expect([vision.imageSize, vision.patchSize, vision.gridSize, vision.tokens] == [56, 14, 4, 17])
        #expect(vision.norm == .layer && vision.normEps == 1e-6)
        #expect(!vision.usesQKNorm && vision.hasQKVBias && !vision.hasFinalNorm)
        #expect(configuration.projector.inputSize == 256 && configuration.projector.normEps == 1e-5)
        let text = configuration.text
        #expect([text.layers, text.hiddenSize, text.attentionHeads, text.kvHeads, text.headDim] == [3, 64, 4, 2, 16])
        #expect([text.intermediateSize, text.vocabularySize, text.maxPositions] == [160, 1055, 32768])
        #expect(text.ropeTheta == 1e6 && text.ropeScaling == .dynamic(factor: 2) && text.rmsNormEps == 1e-6)
        #expect(text.tiesEmbeddings)
    }

    @Test func visionFlagsOfThe6B() throws {
        for name in ["tiny-internvl-hf-vit6b", "tiny-internvl-chat-vit6b"] {
            let checkpoint = try CheckpointFixtures.open(name)
            let vision = checkpoint.configuration.vision
            #expect(vision.norm == .rms && vision.usesQKNorm && !vision.hasQKVBias, "\(name)")
            let block = TensorNames.VisionBlock(1)
            #expect(checkpoint.weights.shape(of: "\(block.queryNorm).weight") == [64])
            #expect(checkpoint.weights.shape(of: "\(block.query).bias") == nil)
            #expect(checkpoint.weights.shape(of: "\(block.normBefore).bias") == nil)
        }
    }

    /// Names that both have hold the same bits; the head may be written out on one side.
    @Test(arguments: [
        ("tiny-internvl-hf", "tiny-internvl-hf-sharded"), ("tiny-internvl-hf", "tiny-internvl-chat"),
        ("tiny-internvl-hf-vit6b", "tiny-internvl-chat-vit6b"),
    ])
    func layoutsAgree(_ one: String, _ other: String) throws {
        let (first, second) = (try CheckpointFixtures.open(one), try CheckpointFixtures.open(other))
        #expect(first.weights.names.subtracting(second.weights.names).isEmpty)
        #expect(second.weights.names.subtracting(first.weights.names).isSubset(of: [TensorNames.head]))
        for name in first.weights.names.sorted() {
            let shape = try #require(first.weights.shape(of: name))
            let same = try first.weights.tensor(name, shape: shape) == second.weights.tensor(name, shape: shape)
            #expect(same, "\(name)")
        }
        var (left, right) = (first.configuration, second.configuration)
        left.text.tiesEmbeddings = false
        right.text.tiesEmbeddings = false
        #expect(left == right)
    }

    @Test func writtenHeadWinsOverTheFlag() throws {
        let chat = try CheckpointFixtures.open("tiny-internvl-chat")
        let text = chat.configuration.text
        #expect(!text.tiesEmbeddings)
        let shape = [text.vocabularySize, text.hiddenSize]
        let head = try chat.weights.tensor(TensorNames.head, shape: shape)
        #expect(try head == chat.weights.tensor(TensorNames.embedding, shape: shape))

        // The same files with a config.json that claims a tie.
        let folder = try CheckpointFolder()
        let source = CheckpointFixtures.path("tiny-internvl-hf-untied")
        try folder.copy("\(source)/model.safetensors", to: "model.safetensors")
        let config = try String(decoding: Data(contentsOf: URL(filePath: "\(source)/config.json")), as: UTF8.self)
        let claim = "\"text_config\": { \"tie_word_embeddings\": true,"
        let tied = config.split(separator: "\"text_config\": {", maxSplits: 1).joined(separator: claim)
        try folder.write(tied, to: "config.json")
        #expect(try ModelConfiguration(path: folder.file("config.json")).text.tiesEmbeddings)
        let untied = try Checkpoint.open(folder.path)
        #expect(!untied.configuration.text.tiesEmbeddings)
        #expect(untied.weights.names.contains(TensorNames.head))
    }

    @Test func untied() throws {
        let checkpoint = try CheckpointFixtures.open("tiny-internvl-hf-untied")
        let text = checkpoint.configuration.text
        #expect(!text.tiesEmbeddings)
        #expect([text.hiddenSize, text.attentionHeads, text.kvHeads, text.headDim] == [56, 7, 1, 8])
        let shape = [1055, 56]
        let head = try checkpoint.weights.tensor(TensorNames.head, shape: shape)
        #expect(try head != checkpoint.weights.tensor(TensorNames.embedding, shape: shape))
    }

    @Test func bfloat16IsTheRoundedFloat32() throws {
        let (full, half) = (
            try CheckpointFixtures.open("tiny-internvl-hf"), try CheckpointFixtures.open("tiny-internvl-hf-bf16")
        )
        #expect(full.weights.names == half.weights.names)
        for name in full.weights.names.sorted() {
            let shape = try #require(full.weights.shape(of: name))
            let rounded = try full.weights.tensor(name, shape: shape).values.map { value in
                // Round to nearest, ties to even.
                let bits = value.bitPattern
                return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
            }
            #expect(try half.weights.tensor(name, shape: shape).values == rounded, "\(name)")
        }
    }

    @Test(arguments: ["tiny-internvl-hf", "tiny-internvl-hf-untied"], ["4.52.4", "5.23.0"])
    func configurationVariantsReadTheSame(_ model: String, version: String) throws {
        let variant = CheckpointFixtures.path("config-variants/transformers-\(version)/\(model)/config.json")
        let original = try ModelConfiguration(path: CheckpointFixtures.path("\(model)/config.json"))
        #expect(try ModelConfiguration(path: variant) == original)
    }

    @Test func testCasesCanBeRead() throws {
        let file = try SafetensorsFile(path: CheckpointFixtures.path("cases/01-single.safetensors"))
        let ids = try file.integers("input_ids")
        #expect(!ids.isEmpty && ids.contains(1048))
        #expect(try file.tensor("input_ids", shape: [ids.count]).values == ids.map(Float.init))
        let pixels = try #require(file.shape(of: "pixel_values"))
        #expect(try file.tensor("pixel_values", shape: pixels).values.allSatisfy({ $0.isFinite }))
    }

    @Test func folderOneLevelUp() throws {
        let folder = try CheckpointFolder()
        let source = CheckpointFixtures.path("tiny-internvl-hf")
        try FileManager.default.createSymbolicLink(atPath: folder.file("model"), withDestinationPath: source)
        #expect(try Checkpoint.open(folder.path + "/").directory == folder.file("model"))
    }
}
