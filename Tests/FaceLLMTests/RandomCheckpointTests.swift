import FoundationEssentials
import Glibc
import Imaging
import Synchronization
import Testing

@testable import FaceLLM

@Suite("Random checkpoints") struct RandomCheckpointTests {
    private let folder: CheckpointFolder

    init() throws { folder = try CheckpointFolder() }

    private func make(_ name: String, seed: UInt64 = 1) throws -> String {
        let path = folder.file(name)
        try RandomCheckpoint(.tiny, seed: seed).write(to: path)
        return path
    }

    private func bytes(_ path: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            files[name] = try folder.read("\(path.dropFirst(folder.path.count + 1))/\(name)")
        }
        return files
    }

    // MARK: - What is written

    @Test func opensAndReadsAsConfigured() throws {
        let path = try make("tiny")
        let checkpoint = try Checkpoint.open(path)
        #expect(checkpoint.configuration == RandomCheckpoint(.tiny, seed: 1).configuration)
        #expect(checkpoint.layout == .huggingFace)
        let required = TensorNames.required(by: checkpoint.configuration)
        #expect(checkpoint.weights.names == Set(required.map(\.name)))
        #expect(required.contains { $0.name == TensorNames.head })
        for requirement in required {
            let tensor = try checkpoint.weights.tensor(requirement.name, shape: requirement.shape)
            #expect(tensor.values.allSatisfy { $0.isFinite }, "\(requirement.name)")
        }
        let readme = String(decoding: try folder.read("tiny/README.txt"), as: UTF8.self)
        #expect(readme.contains("random noise") && readme.contains("seed 1"))
    }

    @Test func oneBHasTheShapeOfThePublishedModel() {
        let configuration = RandomCheckpoint(.oneB(vocabulary: ""), seed: 1).configuration
        let required = TensorNames.required(by: configuration)
        #expect(required.count == 733)
        #expect(required.reduce(0) { $0 + $1.shape.reduce(1, *) } == 938_193_024)
        #expect(configuration.imageTokenID == 151_667 && configuration.imageTokensPerTile == 256)
        #expect(configuration.text.headDim == 64 && configuration.vision.headDim == 64)
    }

    @Test func tensorsBeginAtMultiplesOf64Bytes() throws {
        let file = try SafetensorsFile(path: make("tiny") + "/model.safetensors")
        for name in file.names { #expect(try #require(file.entry(name)).begin.isMultiple(of: 64), "\(name)") }
    }

    // MARK: - The noise

    @Test func theSameSeedGivesTheSameBytes() throws {
        let first = try bytes(make("first", seed: 7))
        #expect(try bytes(make("second", seed: 7)) == first)
        let other = try bytes(make("third", seed: 8))
        #expect(other["model.safetensors"] != first["model.safetensors"])
        #expect(other["vocab.json"] == first["vocab.json"])
    }

    /// The bytes are the same on other machines and in other versions too, so figures measured with them compare.
    @Test func theBytesOfSeedOneAreKnown() throws {
        var hash = UInt64(0xCBF2_9CE4_8422_2325)
        for byte in try bytes(make("tiny"))["model.safetensors"] ?? [] {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        #expect(String(hash, radix: 16) == "9f6bf111c5c61862")
    }

    @Test func valuesAreDistributedAsPromised() throws {
        let checkpoint = try Checkpoint.open(make("tiny"))
        for requirement in TensorNames.required(by: checkpoint.configuration) {
            let values = try checkpoint.weights.tensor(requirement.name, shape: requirement.shape).values.map(
                Double.init
            )
            let wanted = RandomWeights.distribution(of: requirement)
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
            let scale = Double(wanted.deviation)
            // Five standard errors of the mean and of the deviation, and the rounding to bfloat16.
            let slack = 5 * scale / count.squareRoot() + 0.002 * abs(Double(wanted.mean))
            #expect(abs(mean - Double(wanted.mean)) < slack, "\(requirement.name)")
            #expect(abs(deviation - scale) < slack + 0.02 * scale, "\(requirement.name)")
        }
    }

    @Test func tensorsDiffer() throws {
        let checkpoint = try Checkpoint.open(make("tiny"))
        let layer = TensorNames.TextLayer(0)
        let gate = try checkpoint.weights.tensor(layer.gate, shape: [160, 64]).values
        #expect(try checkpoint.weights.tensor(layer.up, shape: [160, 64]).values != gate)
        #expect(Set(gate).count > 500)
    }

    @Test func theModelRunsAndHasPreferences() throws {
        let checkpoint = try Checkpoint.open(make("tiny"))
        let model = try VisionLanguageModel(
            checkpoint,
            pool: ComputePool(threads: 1)
        )
        let tokenizer = try Tokenizer(folder: checkpoint.directory)
        let image = try RGBImage(
            width: 56,
            height: 56,
            bytes: (0..<56 * 56 * 3).map { UInt8(truncatingIfNeeded: $0 * 7) }
        )
        let settings = try ImageProcessor.Configuration(directory: checkpoint.directory, tileSize: 56)
        let features = try #require(model.vision.encode(ImageProcessor(settings).process(image).values))
        let text = "<img><IMG_CONTEXT><IMG_CONTEXT><IMG_CONTEXT><IMG_CONTEXT></img>Describe the face."
        let ids = tokenizer.encode(text).map(Int.init)
        let imageToken = try #require(checkpoint.configuration.imageTokenID)
        let prompt = try #require(model.embed(ids, imageToken: imageToken, features: features))
        var cache = model.language.makeCache(capacity: ids.count + 24)
        var spreads: [Float] = [], answer: [TokenID] = [], history: [TokenID] = []
        var sampler = try Sampler()
        let end = model.language.generate(
            after: prompt,
            cache: &cache,
            sampler: &sampler,
            history: &history,
            expected: 24
        ) { token, logits in
            let mean = logits.reduce(0, +) / Float(logits.count)
            let variance = logits.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(logits.count)
            spreads.append(variance.squareRoot())
            answer.append(token.id)
            return answer.count < 24
        }
        #expect(end == .enough && answer.count == 24)
        #expect(spreads.allSatisfy { (2...8).contains($0) }, "\(spreads)")
        #expect(Set(answer).count > 6, "\(answer)")
    }

    // MARK: - The tokenizer

    @Test func theTinyTokenizerRoundTrips() throws {
        let tokenizer = try Tokenizer(folder: make("tiny"))
        for text in ["Describe the face in this image.", "Straße, 图像 🙂\n\n\t x", "", "\u{0}\u{7F}\"\\"] {
            let ids = tokenizer.encode(text)
            #expect(utf8(tokenizer.decode(ids)) == utf8(text))
            #expect(ids.allSatisfy { $0 < 1024 })
        }
        // Pairs are merged: fewer tokens than bytes.
        #expect(tokenizer.encode("to be").count == 3)
        let ids = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>", "<video>"]
            .map { tokenizer.id(of: $0) }
        #expect(ids == [1024, 1025, 1026, 1046, 1047, 1048, 1055])
        #expect(tokenizer.addedTokens.filter { !$0.isSpecial }.map(\.id) == Array(1038...1045))
    }

    @Test(
        "the files of the full vocabulary read back as the same tokenizer",
        .enabled(if: TokenizerConformance.isPresent)
    )
    func theFullTokenizerIsWrittenRight() throws {
        let golden = try TokenizerConformance.decode(EncodeGolden.self, "tokenizer/encode.json")
        for (name, text) in try TokenizerConformance.full.get().files() { try folder.write(text, to: name) }
        let tokenizer = try Tokenizer(folder: folder.path)
        let added = golden.added_tokens.map { AddedToken(id: $0.id, content: $0.content, isSpecial: $0.special) }
        #expect(tokenizer.addedTokens == added && Tokenizer.internVLTokens(from: 151_643) == added)
        #expect(golden.entries.count >= 300)
        for entry in golden.entries { #expect(tokenizer.encode(entry.text) == entry.ids, "\(entry.id)") }
    }

    // MARK: - Where it is written

    @Test func progressReachesTheEnd() throws {
        let steps = Mutex<[RandomCheckpoint.Progress]>([])
        try RandomCheckpoint(.tiny, seed: 1).write(to: folder.file("tiny")) { step in steps.withLock { $0.append(step) }
        }
        let size = try folder.read("tiny/model.safetensors").count
        let told = steps.withLock(\.self)
        #expect(told.last == .init(written: size, total: size))
        #expect(told.map(\.written) == told.map(\.written).sorted() && told.allSatisfy { $0.total == size })
    }

    @Test func onlyAnEmptyFolderIsTaken() throws {
        let empty = folder.file("empty")
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
        try RandomCheckpoint(.tiny, seed: 1).write(to: empty + "/")
        let before = try bytes(empty)
        let full = checkpointError { try RandomCheckpoint(.tiny, seed: 2).write(to: empty) }
        #expect(full?.kind == .unwritable && full?.file == empty && full?.code == 0)
        #expect(try bytes(empty) == before)

        try folder.write("mine", to: "file")
        #expect(checkpointError { _ = try make("file") }?.kind == .unwritable)
        #expect(try folder.read("file") == Array("mine".utf8))

        let absent = checkpointError { _ = try make("absent/tiny") }
        #expect(absent?.kind == .unwritable && absent?.code == ENOENT)
    }

    @Test func anInterruptedRunIsNotMistakenForAModel() throws {
        try FileManager.default.createDirectory(
            atPath: folder.file("tiny.incomplete"),
            withIntermediateDirectories: false
        )
        let error = checkpointError { _ = try make("tiny") }
        #expect(error?.kind == .unwritable && error?.file == folder.file("tiny.incomplete"))
        #expect(error?.remedy.contains("remove") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["tiny.incomplete"])
    }

    @Test func aFaultyVocabularyLeavesNothing() throws {
        try folder.write("IQ== 0\n", to: "short.tiktoken")
        let model = RandomCheckpoint(.oneB(vocabulary: folder.file("short.tiktoken")), seed: 1)
        let error = checkpointError { try model.write(to: folder.file("model")) }
        #expect(error?.kind == .malformed && error?.file == folder.file("short.tiktoken"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["short.tiktoken"])
    }

    /// A disk that is full says how much was wanted, and nothing stays behind.
    @Test func aFileBeyondAnyDiskIsRefusedWithItsSize() throws {
        let file = try NewFile(folder.file("large"))
        let bytes = 1 << 60
        let error = checkpointError { try file.reserve(bytes) }
        #expect(error?.kind == .unwritable && error?.expected.contains("\(bytes) bytes") == true)
        #expect([ENOSPC, EFBIG].contains(error?.code))
    }
}
