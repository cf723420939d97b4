internal import CKernels

/// Qwen2, the language model of InternVL3.
///
/// - Block: x += attention(norm(x)); x += down(silu(gate) · up) of norm(x); RMSNorm.
/// - Attention: grouped key and value heads, bias on q, k and v only, causal, rotary positions on halves of each head
///   (not interleaved).
/// - A final RMSNorm and the output head: `lm_head` where the checkpoint has one, the embedding otherwise.
///
/// Follows `transformers` 4.57 (`modeling_qwen2.py`). Computes in f32 whatever the weights are stored in. Working memory
/// is kept, so a model serves one caller at a time.
package final class LanguageModel {
    package let configuration: ModelConfiguration.Text
    private let pool: ComputePool
    private let embedding: StoredMatrix  // [vocabulary, hiddenSize]
    private let layers: [TextLayer]
    private let finalNorm: FloatVector
    private let head: Linear
    private let rotary: Rotary
    private let memory = TextMemory()
    /// By how much logits of one and the same token may differ with the tokens that are computed beside it.
    ///
    /// Attention adds in another order, 1e-6 or so; activations of 8 bits may then fall to the other side of a step.
    let roundingOfLogits: Float

    /// Tokens of a prompt that are computed at once, so that working memory stays bounded.
    static let chunk = 512

    /// Finds the model's weights; matrices stay where they are stored.
    package init(
        _ loader: WeightLoader,
        configuration: ModelConfiguration,
        pool: ComputePool
    ) throws(CheckpointError) {
        let t = configuration.text
        self.configuration = t
        self.pool = pool
        let shape = [t.vocabularySize, t.hiddenSize]
        embedding = try loader.source.matrix(TensorNames.embedding, shape: shape)
        var layers: [TextLayer] = []
        for layer in 0..<t.layers { layers.append(try TextLayer(loader, TensorNames.TextLayer(layer), t)) }
        self.layers = layers
        finalNorm = try loader.vector(TensorNames.textFinalNorm, shape: [t.hiddenSize])
        let name = loader.source.names.contains(TensorNames.head) ? TensorNames.head : TensorNames.embedding
        head = Linear(
            weights: try loader.weights(name, shape: shape, precision: loader.precision.head),
            bias: nil
        )
        roundingOfLogits = loader.precision.text == .int8 || loader.precision.text == .int4 ? 0.25 : 1e-3
        rotary = Rotary(headDim: t.headDim, base: t.ropeTheta)
    }

    /// The element type of the weights in their file.
    package var storedType: ElementType { embedding.type }

    /// Bytes of weights that a token reads when it is generated alone.
    package var bytesPerToken: Int { layers.reduce(head.weights.byteCount) { $0 + $1.byteCount } }

    /// A cache for `capacity` tokens, at most as many as the model has positions.
    package func makeCache(capacity: Int) -> KVCache {
        KVCache(configuration: configuration, capacity: min(capacity, configuration.maxPositions))
    }

    /// The embeddings of tokens, [ids.count, hiddenSize].
    package func embed(_ ids: [Int]) -> Matrix {
        var matrix = Matrix(zeros: ids.count, configuration.hiddenSize)
        matrix.values.withUnsafeMutableBufferPointer { values in
            guard let target = values.baseAddress else { return }
            for (row, id) in ids.enumerated() { embedding.copyRow(id, to: target + row * configuration.hiddenSize) }
        }
        return matrix
    }

    // MARK: - Passes

    /// Which rows of a pass's result are wanted: the fewer, the less the last layer costs.
    package enum Wanted {
        case all, last
        case rows([Int])
    }

    /// A tree of tokens: all branches at once, none sees another.
    package struct Branches {
        /// [tokens]: tokens between the cache's last one and each; 0 for those that follow it.
        package let depths: [Int]
        /// [tokens, tokens]: 1 where the row's token sees the column's: itself and its ancestors.
        package let visible: [UInt8]

        package init(depths: [Int], visible: [UInt8]) {
            precondition(visible.count == depths.count * depths.count, "\(visible.count) marks for \(depths.count)")
            self.depths = depths
            self.visible = visible
        }
    }

    /// Gathers how much a pass's tokens look at each token, summed over layers and averaged over heads.
    package final class AttentionProbe {
        /// [tokens of the pass, tokens in the cache + tokens of the pass].
        package fileprivate(set) var weights = Matrix(zeros: 0, 0)

        package init() {}
    }

    /// The residual stream after the final norm for tokens that follow those in `cache`, which then holds them too.
    ///
    /// - Parameters:
    ///   - embeddings: [tokens, hiddenSize], at least one.
    ///   - expected: tokens that will follow these, so that the cache makes room once.
    ///   - isCancelled: asked once a layer.
    ///   - observe: sees `layer.I` and `final_norm`, for tests; only for prompts of one chunk and all rows wanted.
    /// - Returns: [wanted tokens, hiddenSize]; nil if cancelled, the cache is then as before.
    package func forward(
        _ embeddings: Matrix,
        cache: inout KVCache,
        wanted: Wanted = .all,
        expected: Int = 0,
        probe: AttentionProbe? = nil,
        isCancelled: () -> Bool = { false },
        observe: ((String, Matrix) -> Void)? = nil
    ) -> Matrix? {
        let before = cache.count
        precondition(embeddings.rows > 0 && embeddings.columns == configuration.hiddenSize, "embeddings' shape")
        precondition(probe == nil || embeddings.rows <= Self.chunk, "a probe looks at one chunk")
        cache.reserve(embeddings.rows, expected: embeddings.rows + expected)
        var result: [Float] = []
        var start = 0
        while start < embeddings.rows {
            let end = min(embeddings.rows, start + Self.chunk)
            let rows: [Int]? =
                switch wanted {
                case .all: nil
                case .last: end == embeddings.rows ? [end - 1 - start] : []
                case .rows(let rows): rows.filter { $0 >= start && $0 < end }.map { $0 - start }
                }
            let positions = cache.count..<cache.count + end - start
            guard
                let part = pass(
                    embeddings,
                    start..<end,
                    positions: positions,
                    visible: nil,
                    cache: cache,
                    wanted: rows,
                    probe: probe,
                    isCancelled,
                    observe
                )
            else {
                cache.roll(backTo: before)
                return nil
            }
            cache.commit(end - start)
            result += part
            start = end
        }
        return Matrix(rows: result.count / configuration.hiddenSize, columns: configuration.hiddenSize, values: result)
    }

    /// The residual stream after the final norm for a tree of tokens behind those in `cache`, which stays as it is.
    ///
    /// - Parameters:
    ///   - embeddings: [tokens, hiddenSize], at least one.
    ///   - wanted: indices of the rows to return.
    /// - Returns: [wanted.count, hiddenSize]; nil if cancelled.
    package func forward(
        _ embeddings: Matrix,
        branches: Branches,
        cache: inout KVCache,
        wanted: [Int],
        isCancelled: () -> Bool = { false }
    ) -> Matrix? {
        precondition(embeddings.rows > 0 && embeddings.rows == branches.depths.count, "a depth for each token")
        cache.reserve(embeddings.rows, expected: embeddings.rows)
        let before = cache.count
        let values = pass(
            embeddings,
            0..<embeddings.rows,
            positions: branches.depths.map { before + $0 },
            visible: branches.visible,
            cache: cache,
            wanted: wanted,
            probe: nil,
            isCancelled,
            nil
        )
        return values.map { Matrix(rows: wanted.count, columns: configuration.hiddenSize, values: $0) }
    }

    /// One token each of several sequences, every matrix read once for all of them.
    ///
    /// Each sequence gets bit by bit what it would get alone, for up to 8 sequences.
    ///
    /// - Parameters:
    ///   - ids: the next token of each.
    ///   - caches: what came before; each holds its token afterwards.
    ///   - expected: tokens that will follow.
    /// - Returns: the residual stream after the final norm, [ids.count, hiddenSize]; nil if cancelled, the caches are
    ///   then as before.
    package func step(
        _ ids: [Int],
        caches: inout [KVCache],
        expected: Int = 0,
        isCancelled: () -> Bool = { false }
    ) -> Matrix? {
        precondition(ids.count == caches.count && !ids.isEmpty, "\(ids.count) tokens for \(caches.count) caches")
        let d = configuration.hiddenSize, rows = ids.count
        let x = memory.stream.reserve(rows * d)
        for (row, id) in ids.enumerated() { embedding.copyRow(id, to: x + row * d) }
        for index in caches.indices { caches[index].reserve(1, expected: 1 + expected) }
        let tables = memory.rotary.reserve(rows * configuration.headDim)
        rotary.write(caches.map(\.count), to: tables)
        let pass = TextLayer.Pass(rows: rows, rotary: tables, visible: nil, memory: memory, pool: pool)
        for (index, layer) in layers.enumerated() {
            if isCancelled() { return nil }
            layer.attendTogether(x, index: index, caches: caches, pass: pass)
            layer.transform(x, rows: rows, memory: memory, pool: pool)
        }
        for index in caches.indices { caches[index].commit(1) }
        ck_rms_norm(pool.handle, x, x, finalNorm.pointer, configuration.rmsNormEps, rows, d)
        return Matrix(rows: rows, columns: d, copying: x)
    }

    /// One pass over some rows of the embeddings; writes keys and values, counts nothing.
    ///
    /// - Parameter wanted: rows within the pass; nil for all.
    private func pass(
        _ embeddings: Matrix,
        _ range: Range<Int>,
        positions: some Collection<Int>,
        visible: [UInt8]?,
        cache: KVCache,
        wanted: [Int]?,
        probe: AttentionProbe?,
        _ isCancelled: () -> Bool,
        _ observe: ((String, Matrix) -> Void)?
    ) -> [Float]? {
        let d = configuration.hiddenSize, rows = range.count
        let x = memory.stream.reserve(rows * d)
        embeddings.values.withUnsafeBufferPointer { values in
            guard let source = values.baseAddress else { return }
            x.update(from: source + range.lowerBound * d, count: rows * d)
        }
        let tables = memory.rotary.reserve(rows * configuration.headDim)
        rotary.write(positions, to: tables)
        let total = cache.count + rows
        var weights = probe.map { _ in [Float](repeating: 0, count: rows * total) }
        if let probe { probe.weights = Matrix(zeros: rows, total) }

        func layers(_ marks: UnsafePointer<UInt8>?) -> Int? {
            let pass = TextLayer.Pass(rows: rows, rotary: tables, visible: marks, memory: memory, pool: pool)
            var kept = rows
            for (index, layer) in self.layers.enumerated() {
                if isCancelled() { return nil }
                if let probe {
                    weights?.withUnsafeMutableBufferPointer {
                        layer.attend(x, index: index, cache: cache, pass: pass, weights: $0.baseAddress)
                    }
                    for (place, weight) in (weights ?? []).enumerated() { probe.weights.values[place] += weight }
                } else {
                    layer.attend(x, index: index, cache: cache, pass: pass)
                }
                // After the last attention a token is its own affair: those that nobody asked for end here.
                if index == self.layers.count - 1, let wanted {
                    gather(wanted, of: x)
                    kept = wanted.count
                }
                if kept > 0 { layer.transform(x, rows: kept, memory: memory, pool: pool) }
                if let observe { observe("layer.\(index)", Matrix(rows: kept, columns: d, copying: x)) }
            }
            return kept
        }
        let kept = visible.map { $0.withUnsafeBufferPointer { layers($0.baseAddress) } } ?? layers(nil)
        guard let kept else { return nil }
        guard kept > 0 else { return [] }
        ck_rms_norm(pool.handle, x, x, finalNorm.pointer, configuration.rmsNormEps, kept, d)
        if let observe { observe("final_norm", Matrix(rows: kept, columns: d, copying: x)) }
        return Array(UnsafeBufferPointer(start: x, count: kept * d))
    }

    /// Moves rows to the front, in the order of `rows`.
    private func gather(_ rows: [Int], of x: UnsafeMutablePointer<Float>) {
        let d = configuration.hiddenSize
        let copy = memory.normed.reserve(rows.count * d)
        for (place, row) in rows.enumerated() { (copy + place * d).update(from: x + row * d, count: d) }
        x.update(from: copy, count: rows.count * d)
    }

    // MARK: - Logits

    /// The logits of hidden states, [tokens, vocabularySize].
    package func logits(_ hidden: Matrix) -> Matrix {
        withLogits(hidden) { Matrix(rows: hidden.rows, columns: configuration.vocabularySize, copying: $0) }
    }

    /// Calls `body` with the logits of hidden states, [hidden.rows, vocabularySize], in memory that is used again.
    package func withLogits<Result>(_ hidden: Matrix, _ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
        precondition(hidden.columns == configuration.hiddenSize, "\(hidden.columns) columns into the head")
        let logits = memory.logits.reserve(hidden.rows * configuration.vocabularySize)
        hidden.values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            head.apply(values, rows: hidden.rows, to: logits, pool: pool)
        }
        return body(logits)
    }
}
