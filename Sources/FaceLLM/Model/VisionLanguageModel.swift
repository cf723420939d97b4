/// InternVL3: tiles become tokens, tokens become text.
package final class VisionLanguageModel {
    package let configuration: ModelConfiguration
    package let pool: ComputePool
    package let vision: VisionTower
    package let language: LanguageModel
    /// SHA-256 of the files with weights, where it had to be known: for quantised weights that are kept.
    package let sourceSHA256: String?

    /// Finds all weights; matrices stay where they are stored, or are quantised.
    ///
    /// - Parameters:
    ///   - cacheFolder: where quantised weights are kept between runs; nil for nowhere.
    ///   - smooths: false to see what quantised weights are without `Smoothing`; nothing is kept then.
    package init(
        _ checkpoint: Checkpoint,
        precision: ModelPrecision = .reference,
        cacheFolder: String? = nil,
        smooths: Bool = true,
        pool: ComputePool
    ) throws(CheckpointError) {
        let loader = try WeightLoader(
            checkpoint,
            precision: precision,
            cacheFolder: smooths ? cacheFolder : nil,
            smooths: smooths,
            pool: pool
        )
        configuration = checkpoint.configuration
        self.pool = pool
        vision = try VisionTower(loader, configuration: configuration, pool: pool)
        language = try LanguageModel(loader, configuration: configuration, pool: pool)
        sourceSHA256 = loader.sourceSHA256
        loader.finish()
    }

    /// The embeddings of a prompt, the image's features in place of its `<IMG_CONTEXT>` tokens, in order.
    ///
    /// - Parameters:
    ///   - ids: the prompt's tokens.
    ///   - imageToken: the id that stands for an image token.
    ///   - features: [image tokens, hiddenSize], as many as the prompt has places.
    /// - Returns: [ids.count, hiddenSize]; nil where places and features differ in number.
    package func embed(_ ids: [Int], imageToken: Int, features: Matrix?) -> Matrix? {
        let places = ids.indices.filter { ids[$0] == imageToken }
        guard places.count == features?.rows ?? 0 else { return nil }
        var embeddings = language.embed(ids)
        guard let features else { return embeddings }
        let width = embeddings.columns
        for (row, place) in places.enumerated() {
            embeddings.values.replaceSubrange(
                place * width..<(place + 1) * width,
                with: features.values[row * width..<(row + 1) * width]
            )
        }
        return embeddings
    }
}
