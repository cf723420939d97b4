import FoundationEssentials
import Testing

@testable import FaceLLM

@Suite("Stop tokens of a checkpoint") struct GenerationDefaultsTests {
    private let folder: CheckpointFolder

    init() throws { folder = try CheckpointFolder() }

    private func stopIDs(_ json: String?, tokenizer: Tokenizer? = nil, vocabularySize: Int = 1055) throws -> Set<Int> {
        if let json { try folder.write(json, to: "generation_config.json") }
        return try GenerationDefaults(
            directory: folder.path,
            tokenizer: tokenizer,
            vocabularySize: vocabularySize
        ).stopIDs
    }

    @Test func aNumberOrAList() throws {
        #expect(try stopIDs("{\"eos_token_id\": 7}") == [7])
        #expect(try stopIDs("{\"eos_token_id\": [7, 0, 7]}") == [0, 7])
    }

    @Test func theTokenizersStopTokensAreAdded() throws {
        #expect(try stopIDs("{\"eos_token_id\": 7}", tokenizer: .small()) == [7, 1024, 1026])
        // A token without a logit cannot come.
        #expect(try stopIDs("{\"eos_token_id\": 7}", tokenizer: .small(), vocabularySize: 1026) == [7, 1024])
    }

    @Test func absenceAddsNothing() throws {
        #expect(try stopIDs(nil) == [])
        #expect(try stopIDs(nil, tokenizer: .small()) == [1024, 1026])
        #expect(try stopIDs("{}") == [])
        #expect(try stopIDs("{\"eos_token_id\": null}") == [])
    }

    @Test func theEndOfTheBareLanguageModelIsNotLookedAt() throws {
        try folder.write("{\"eos_token_id\": 3, \"text_config\": {\"eos_token_id\": 4}}", to: "config.json")
        #expect(try stopIDs(nil) == [])
    }

    @Test(arguments: ["-1", "1055", "1.5", "\"</s>\"", "true", "{}", "[]", "[7, null]", "[[7]]", "1e300"])
    func nonsenseIsRefused(value: String) throws {
        let error = try #require(checkpointError { _ = try stopIDs("{\"eos_token_id\": \(value)}") })
        #expect(error.kind == .invalidConfiguration && error.key == "eos_token_id")
        #expect(error.file == folder.file("generation_config.json"))
    }

    @Test func brokenJSONIsRefused() throws {
        #expect(checkpointError { _ = try stopIDs("{\"eos_token_id\": ") }?.kind == .malformed)
        #expect(checkpointError { _ = try stopIDs("[]") }?.kind == .malformed)
    }
}

@Suite("Image settings of a checkpoint") struct ImageSettingsTests {
    private let folder: CheckpointFolder

    init() throws { folder = try CheckpointFolder() }

    private func settings() throws -> ImageProcessor.Configuration {
        try ImageProcessor.Configuration(directory: folder.path, tileSize: 56)
    }

    @Test func absenceMeansTheDefaults() throws {
        #expect(try settings() == ImageProcessor.Configuration(tileSize: 56))
        try folder.write(
            "{\"image_seq_length\": 4, \"processor_class\": \"InternVLProcessor\"}",
            to: "processor_config.json"
        )
        #expect(try settings() == ImageProcessor.Configuration(tileSize: 56))
        try folder.write("{}", to: "preprocessor_config.json")
        #expect(try settings() == ImageProcessor.Configuration(tileSize: 56))
    }

    @Test func valuesAreTaken() throws {
        let json = """
            {"crop_to_patches": true, "min_patches": 2, "max_patches": 6, "image_mean": [0.5, 0.25, 0],
             "image_std": [0.5, 1, 2], "size": 56}
            """
        try folder.write(json, to: "preprocessor_config.json")
        let found = try settings()
        #expect(found.minTiles == 2 && found.maxTiles == 6)
        #expect(found.mean == [0.5, 0.25, 0] && found.deviation == [0.5, 1, 2])
        #expect(throws: Never.self) { _ = try ImageProcessor(found) }

        // The newer file comes first.
        try folder.write("{\"image_processor\": {\"image_mean\": [0, 0, 0]}}", to: "processor_config.json")
        #expect(try settings().mean == [0, 0, 0])
        #expect(try settings().maxTiles == 1)
    }

    @Test(arguments: [
        ("size", "57"), ("size", "{\"height\": 56, \"width\": 28}"), ("size", "{\"shortest_edge\": 56}"),
        ("size", "\"56\""), ("image_mean", "[0.5, 0.5]"), ("image_mean", "0.5"), ("image_mean", "[0.5, 0.5, \"x\"]"),
        ("image_mean", "[0.5, 0.5, 1e300]"), ("image_std", "[0.5, 0, 0.5]"), ("image_std", "[0.5, -1, 0.5]"),
        ("resample", "2"), ("do_normalize", "false"), ("do_resize", "false"), ("do_rescale", "false"),
        ("do_pad", "true"),
        ("rescale_factor", "1"), ("rescale_factor", "0.0078"), ("max_patches", "0"), ("max_patches", "1.5"),
        ("min_patches", "13"), ("crop_to_patches", "1"),
    ])
    func wrongValuesNameFileAndKey(key: String, value: String) throws {
        for (file, json, prefix) in [
            ("preprocessor_config.json", "{\"\(key)\": \(value)}", ""),
            ("processor_config.json", "{\"image_processor\": {\"\(key)\": \(value)}}", "image_processor."),
        ] {
            let folder = try CheckpointFolder()
            try folder.write(json, to: file)
            let error = try #require(
                checkpointError { _ = try ImageProcessor.Configuration(directory: folder.path, tileSize: 56) }
            )
            #expect(error.kind == .invalidConfiguration && error.file == folder.file(file))
            #expect(error.key == prefix + key, "\(error)")
        }
    }

    private static let recorded = [
        "tiny-internvl-hf", "tiny-internvl-chat", "config-variants/transformers-4.52.4/tiny-internvl-hf",
        "config-variants/transformers-5.23.0/tiny-internvl-hf",
        "config-variants/transformers-5.23.0/tiny-internvl-hf-untied",
    ]

    @Test(.enabled(if: CheckpointFixtures.isPresent, CheckpointFixtures.absence), arguments: recorded)
    func everyVersionsFilesSayTheSame(model: String) throws {
        let found = try ImageProcessor.Configuration(directory: CheckpointFixtures.path(model), tileSize: 56)
        #expect(found == ImageProcessor.Configuration(tileSize: 56))
        #expect(throws: CheckpointError.self) {
            _ = try ImageProcessor.Configuration(directory: CheckpointFixtures.path(model), tileSize: 448)
        }
    }
}
