/// FaceLLM: pictures and questions in, words and probabilities out.
///
/// One picture, many questions: a picture is encoded once and the prompt up to its last image computed once; questions
/// fork what was computed. Everything that is kept is kept under the content of the pictures (`ContentKey`).
///
/// Synchronous, for one caller at a time: it belongs into an actor with a queue of its own, since an answer takes
/// seconds. Equal questions give bit-equal answers, whether or not something was still known from before.
package final class Engine {
    package struct Options: Sendable, Hashable {
        /// Threads that compute.
        package var threads: Int
        package var precision = ModelPrecision.reference
        /// Where quantised weights are kept between runs; nil for nowhere.
        package var weightCache: String?
        /// Folders of adapters, merged in this order.
        package var adapters: [String] = []
        package var template = ChatTemplate.huggingFace
        /// Nil for none, as in the published script.
        package var system: String?
        /// Tiles of a picture at most; 1 is what FaceLLM was trained with.
        package var maxTiles = 1
        /// Context around a face; nil for what the training pictures had.
        package var faceMargin: Float?
        /// Tokens of a prompt with its answer, at most; working memory grows with it.
        package var contextLimit = 8192
        /// For pictures' features and for computed prefixes, each.
        package var cacheBytes = 128 << 20

        package init(threads: Int) { self.threads = threads }
    }

    package let options: Options
    package let checkpoint: Checkpoint
    package let tokenizer: Tokenizer
    package let processor: ImageProcessor
    package let model: VisionLanguageModel
    /// Tokens that end an answer.
    package let stopIDs: Set<Int>
    private let imageToken: Int
    private var features: BoundedCache<ContentKey, Matrix>
    private var prefixes: BoundedCache<PrefixKey, KVCache>
    /// Scores of answers about nothing, by the tokens that were scored.
    var baselines: BoundedCache<BaselineKey, [ChoiceScores.Option]>

    /// Opens a model.
    ///
    /// - Parameter path: the folder of a checkpoint, or the one that holds it as `model`.
    /// - Throws: `EngineError` with what the checkpoint's reader says: file, tensor or key, expected and found.
    package init(_ path: String, options: Options) throws(EngineError) {
        func opening<Result>(_ body: () throws -> Result) throws(EngineError) -> Result {
            do {
                return try body()
            } catch let error as EngineError {
                throw error
            } catch {
                throw EngineError(.openModel, reason: "\(error)")
            }
        }
        self.options = options
        let checkpoint = try opening { try Checkpoint.open(path, adapters: options.adapters) }
        self.checkpoint = checkpoint
        tokenizer = try opening { try Tokenizer(folder: checkpoint.directory) }
        guard
            let image = checkpoint.configuration.imageTokenID ?? tokenizer.id(of: ChatPrompt.imageToken).map(Int.init),
            image < checkpoint.configuration.text.vocabularySize
        else {
            throw EngineError(
                .openModel,
                reason: "neither config.json nor the tokenizer of \(checkpoint.directory) has an image token",
                remedy: "Fetch the tokenizer's files together with the weights."
            )
        }
        imageToken = image
        let (tokenizer, vocabularySize) = (tokenizer, checkpoint.configuration.text.vocabularySize)
        stopIDs = try opening {
            try GenerationDefaults(
                directory: checkpoint.directory,
                tokenizer: tokenizer,
                vocabularySize: vocabularySize
            ).stopIDs
        }
        processor = try opening {
            var configuration = try ImageProcessor.Configuration(
                directory: checkpoint.directory,
                tileSize: checkpoint.configuration.vision.imageSize
            )
            configuration.maxTiles = options.maxTiles
            if let margin = options.faceMargin { configuration.faceMargin = margin }
            return try ImageProcessor(configuration)
        }
        let pool = try ComputePool(threads: options.threads)
        model = try opening {
            try VisionLanguageModel(
                checkpoint,
                precision: options.precision,
                cacheFolder: options.weightCache,
                pool: pool
            )
        }
        features = BoundedCache(limit: options.cacheBytes)
        prefixes = BoundedCache(limit: options.cacheBytes)
        baselines = BoundedCache(limit: 1 << 20)
    }

    /// Builds the conversations that this engine is asked with.
    package var builder: PromptBuilder { PromptBuilder(template: options.template, system: options.system) }

    /// How weights are held and multiplied, for people, as "int8" or "f32 from bf16".
    package var precision: String {
        let stored = model.language.storedType.rawValue.lowercased()
        let precision = options.precision
        return precision == .reference && stored != "f32" ? "f32 from \(stored)" : precision.description
    }

    /// Where quantised weights and hashes are kept: below $FACELLM_CACHE, systemd's $CACHE_DIRECTORY or the user's cache.
    ///
    /// Nil for nowhere: with an empty $FACELLM_CACHE, or without a home.
    package static func standardWeightCache(environment: [String: String]) -> String? {
        if let folder = environment["FACELLM_CACHE"] { return folder.isEmpty ? nil : folder + "/engine" }
        if let folder = environment["CACHE_DIRECTORY"], !folder.isEmpty { return folder + "/engine" }
        if let folder = environment["XDG_CACHE_HOME"], !folder.isEmpty { return folder + "/facellm/engine" }
        return environment["HOME"].map { $0 + "/.cache/facellm/engine" }
    }

    // MARK: - Pictures

    /// The tiles of a picture as it is.
    package func tiles(of image: RGBImage) throws(EngineError) -> PixelTiles {
        do throws(ImageError) {
            return try processor.process(image)
        } catch {
            throw EngineError(.readImage, reason: error.description)
        }
    }

    /// What the vision tower makes of a picture, [image tokens, hiddenSize], from the cache where it is known.
    func features(of tiles: PixelTiles, key: ContentKey, run: Run) throws(EngineError) -> Matrix {
        if let known = features.value(of: key) {
            run.timings.picturesReused += 1
            return known
        }
        let began = ContinuousClock.now
        guard let encoded = model.vision.encode(tiles.values, isCancelled: { run.mustStop }) else {
            throw run.interruption
        }
        run.timings.vision += ContinuousClock.now - began
        run.timings.picturesEncoded += tiles.count
        features.insert(encoded, bytes: encoded.values.count * 4, for: key)
        return encoded
    }

    // MARK: - Prompts

    /// What a prefix was computed from: all of its tokens, and the content of all of its pictures.
    private struct PrefixKey: Hashable {
        let ids: [TokenID]
        let pictures: [ContentKey]
    }

    /// A prompt that is computed up to its last picture.
    struct Prepared {
        /// A fork of its own.
        var cache: KVCache
        /// Tokens that follow the last picture.
        let rest: [Int]
        /// All tokens of the prompt.
        let ids: [Int]
        /// Where the first picture's tokens begin.
        let pictureStart: Int?
    }

    /// Computes a prompt up to its last picture, or finds that in the cache.
    ///
    /// The boundary is the same whether something is known or not, so that the numbers are the same too.
    func prepare(_ prompt: ChatPrompt, pictures: [PixelTiles], run: Run) throws(EngineError) -> Prepared {
        let (before, after) = prompt.splitAfterImages
        let tokensPerTile = checkpoint.configuration.imageTokensPerTile
        let prefix: [TokenID], rest: [TokenID]
        do throws(ChatPromptError) {
            prefix = try tokenizer.encode(before, tiles: pictures.map(\.count), tokensPerTile: tokensPerTile)
            rest = try tokenizer.encode(after, tiles: [], tokensPerTile: tokensPerTile)
        } catch {
            throw EngineError(.buildPrompt, reason: error.description)
        }
        let ids = (prefix + rest).map(Int.init)
        try check(ids)
        let keys = pictures.map { ContentKey($0) }
        let key = PrefixKey(ids: prefix, pictures: keys)
        let start = ids.firstIndex(of: imageToken)
        let tail = rest.map(Int.init)
        run.timings.inputTokens = ids.count
        if let known = prefixes.value(of: key) {
            run.timings.prefixReused = true
            return Prepared(cache: known, rest: tail, ids: ids, pictureStart: start)
        }
        var cache = model.language.makeCache(capacity: options.contextLimit)
        if !prefix.isEmpty {
            var values: [Float] = []
            for (tiles, key) in zip(pictures, keys) { values += try features(of: tiles, key: key, run: run).values }
            let width = checkpoint.configuration.text.hiddenSize
            let features =
                pictures.isEmpty ? nil : Matrix(rows: values.count / width, columns: width, values: values)
            guard
                let embeddings = model.embed(prefix.map(Int.init), imageToken: imageToken, features: features)
            else { throw EngineError(.buildPrompt, reason: "the prompt has other places than pictures") }
            let began = ContinuousClock.now
            // Only keys and values are wanted of a prefix.
            let hidden = model.language.forward(
                embeddings,
                cache: &cache,
                wanted: .rows([]),
                isCancelled: { run.mustStop }
            )
            guard hidden != nil else { throw run.interruption }
            run.timings.prefill += ContinuousClock.now - began
        }
        prefixes.insert(cache, bytes: cache.byteCount, for: key)
        return Prepared(cache: cache, rest: tail, ids: ids, pictureStart: start)
    }

    /// Text may hold tokens that the tokenizer has and the model has not.
    private func check(_ ids: [Int]) throws(EngineError) {
        let vocabulary = checkpoint.configuration.text.vocabularySize
        if let id = ids.first(where: { $0 >= vocabulary }) {
            throw EngineError(
                .buildPrompt,
                reason: "token \(id) of the text is beyond the model's vocabulary of \(vocabulary)"
            )
        }
        let limit = min(options.contextLimit, checkpoint.configuration.text.maxPositions)
        guard ids.count < limit else {
            throw EngineError(
                .buildPrompt,
                reason: "the prompt has \(ids.count) tokens, \(limit) are allowed",
                remedy: "Use fewer pictures or tiles, or a shorter question."
            )
        }
    }
}
