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
    private let finalNorm: Norm
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
        finalNorm = try Norm(rms: loader, TensorNames.textFinalNorm, width: t.hiddenSize, eps: t.rmsNormEps)
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
        let before = cache.count, d = configuration.hiddenSize
        precondition(embeddings.rows > 0 && embeddings.columns == d, "embeddings' shape")
        precondition(probe == nil || embeddings.rows <= Self.chunk, "a probe looks at one chunk")
        reserve(embeddings.rows, expected: expected, in: &cache)
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
            load(embeddings, start..<end)
            rotary.write(from: cache.count, rows: end - start, to: tables(end - start))
            guard
                let kept = pass(
                    end - start,
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
            result += UnsafeBufferPointer(start: memory.stream.pointer, count: kept * d)
            start = end
        }
        return Matrix(rows: result.count / d, columns: d, values: result)
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
        let rows = embeddings.rows
        reserve(rows, expected: branches.depths.max() ?? 0, in: &cache)
        load(embeddings, 0..<rows)
        let target = tables(rows)
        for (row, depth) in branches.depths.enumerated() {
            rotary.write(position: cache.count + depth, row: row, of: rows, to: target)
        }
        let kept = branches.visible.withUnsafeBufferPointer {
            pass(rows, visible: $0.baseAddress, cache: cache, wanted: wanted, probe: nil, isCancelled, nil)
        }
        guard let kept else { return nil }
        return Matrix(rows: kept, columns: configuration.hiddenSize, copying: memory.stream.pointer)
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
        guard advance(ids, caches: &caches, expected: expected, isCancelled) else { return nil }
        return Matrix(rows: ids.count, columns: configuration.hiddenSize, copying: memory.stream.pointer)
    }

    // MARK: - The token loop
    //
    // Nothing here allocates once the working memory is large enough.

    /// The logits of tokens that follow those in `cache`, which then holds them too.
    ///
    /// - Parameters:
    ///   - ids: up to `chunk`, at least one.
    ///   - expected: tokens that will follow.
    /// - Returns: [ids.count, vocabularySize], until the next call of any kind; nil if cancelled, the cache is then as
    ///   before.
    func nextLogits(
        _ ids: [Int],
        cache: inout KVCache,
        expected: Int = 0,
        probe: AttentionProbe? = nil,
        isCancelled: () -> Bool = { false }
    ) -> UnsafeMutablePointer<Float>? {
        precondition(!ids.isEmpty && ids.count <= Self.chunk, "\(ids.count) tokens at once")
        let rows = ids.count
        cache.reserve(rows, expected: rows + expected)
        load(ids)
        rotary.write(from: cache.count, rows: rows, to: tables(rows))
        let kept = pass(rows, visible: nil, cache: cache, wanted: nil, probe: probe, isCancelled, nil)
        guard kept != nil else { return nil }
        cache.commit(rows)
        return applyHead(memory.stream.pointer, rows: rows)
    }

    /// `step`, and the logits of each sequence.
    ///
    /// - Returns: [ids.count, vocabularySize], until the next call of any kind; nil if cancelled.
    func nextLogits(
        _ ids: [Int],
        caches: inout [KVCache],
        expected: Int = 0,
        isCancelled: () -> Bool = { false }
    ) -> UnsafeMutablePointer<Float>? {
        guard advance(ids, caches: &caches, expected: expected, isCancelled) else { return nil }
        return applyHead(memory.stream.pointer, rows: ids.count)
    }

    /// - Returns: false if cancelled; otherwise `memory.stream` holds the residual stream after the final norm.
    private func advance(_ ids: [Int], caches: inout [KVCache], expected: Int, _ isCancelled: () -> Bool) -> Bool {
        precondition(ids.count == caches.count && !ids.isEmpty, "\(ids.count) tokens for \(caches.count) caches")
        let rows = ids.count
        load(ids)
        let target = tables(rows)
        for index in caches.indices {
            caches[index].reserve(1, expected: 1 + expected)
            rotary.write(position: caches[index].count, row: index, of: rows, to: target)
        }
        let x = memory.stream.pointer
        let pass = TextLayer.Pass(rows: rows, rotary: target, visible: nil, memory: memory, pool: pool)
        for index in layers.indices {
            if isCancelled() { return false }
            layers[index].attendTogether(x, index: index, caches: caches, pass: pass)
            layers[index].transform(x, rows: rows, memory: memory, pool: pool)
        }
        for index in caches.indices { caches[index].commit(1) }
        finalNorm.apply(x, rows: rows, to: x, pool: pool)
        return true
    }

    // MARK: - One pass

    /// Makes room in a cache, and for the positions that it will come to.
    private func reserve(_ tokens: Int, expected: Int, in cache: inout KVCache) {
        cache.reserve(tokens, expected: tokens + expected)
        rotary.prepare(positions: min(cache.capacity, cache.count + tokens + expected))
    }

    /// Puts rows of embeddings at the beginning of the residual stream.
    private func load(_ embeddings: Matrix, _ range: Range<Int>) {
        let d = configuration.hiddenSize, x = memory.stream.reserve(range.count * d)
        embeddings.values.withUnsafeBufferPointer { values in
            guard let source = values.baseAddress else { return }
            x.update(from: source + range.lowerBound * d, count: range.count * d)
        }
    }

    private func load(_ ids: [Int]) {
        let d = configuration.hiddenSize, x = memory.stream.reserve(ids.count * d)
        for row in ids.indices { embedding.copyRow(ids[row], to: x + row * d) }
    }

    /// Where the positions' cosines and sines go.
    private func tables(_ rows: Int) -> UnsafeMutablePointer<Float> {
        memory.rotary.reserve(rows * configuration.headDim)
    }

    /// One pass over the rows in `memory.stream`, their positions in `memory.rotary`; writes keys and values, counts
    /// nothing.
    ///
    /// - Parameter wanted: rows within the pass; nil for all.
    /// - Returns: how many rows of the residual stream after the final norm there are in `memory.stream`; nil if
    ///   cancelled.
    private func pass(
        _ rows: Int,
        visible: UnsafePointer<UInt8>?,
        cache: borrowing KVCache,
        wanted: [Int]?,
        probe: AttentionProbe?,
        _ isCancelled: () -> Bool,
        _ observe: ((String, Matrix) -> Void)?
    ) -> Int? {
        let d = configuration.hiddenSize, x = memory.stream.pointer
        let pass = TextLayer.Pass(
            rows: rows,
            rotary: memory.rotary.pointer,
            visible: visible,
            memory: memory,
            pool: pool
        )
        let total = cache.count + rows
        if let probe { probe.weights = Matrix(zeros: rows, total) }
        var kept = rows
        for index in layers.indices {
            if isCancelled() { return nil }
            if let probe {
                var weights = [Float](repeating: 0, count: rows * total)
                weights.withUnsafeMutableBufferPointer {
                    layers[index].attend(x, index: index, cache: cache, pass: pass, weights: $0.baseAddress)
                }
                for (place, weight) in weights.enumerated() { probe.weights.values[place] += weight }
            } else {
                layers[index].attend(x, index: index, cache: cache, pass: pass)
            }
            // After the last attention a token is its own affair: those that nobody asked for end here.
            if index == layers.count - 1, let wanted {
                gather(wanted, of: x)
                kept = wanted.count
            }
            if kept > 0 { layers[index].transform(x, rows: kept, memory: memory, pool: pool) }
            if let observe { observe("layer.\(index)", Matrix(rows: kept, columns: d, copying: x)) }
        }
        guard kept > 0 else { return 0 }
        finalNorm.apply(x, rows: kept, to: x, pool: pool)
        if let observe { observe("final_norm", Matrix(rows: kept, columns: d, copying: x)) }
        return kept
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
        let logits = hidden.values.withUnsafeBufferPointer { values in
            values.baseAddress.map { applyHead($0, rows: hidden.rows) }
        }
        return body(logits ?? memory.logits.pointer)
    }

    /// The logits of rows of the residual stream after the final norm, [rows, vocabularySize].
    private func applyHead(_ x: UnsafePointer<Float>, rows: Int) -> UnsafeMutablePointer<Float> {
        let logits = memory.logits.reserve(rows * configuration.vocabularySize)
        head.apply(x, rows: rows, to: logits, pool: pool)
        return logits
    }
}
