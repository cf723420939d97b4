internal import CKernels

/// InternViT and the projector behind it.
///
/// - Patch embedding: a convolution with bias, patches in row-major order; the class token first; learned positions
///   added to all 1 + N tokens.
/// - Block: x += λ₁ · attention(norm(x)); x += λ₂ · mlp(norm(x)), exact GELU. InternViT-300M: LayerNorm and q/k/v bias;
///   InternViT-6B: RMSNorm, RMS norms of query and key over the whole width, no q/k/v bias.
/// - A final norm only where the configuration has one; the published models have none.
/// - The class token is dropped, 2 x 2 patches become one token of four times the width, and the projector takes that
///   to the language model's width: LayerNorm, linear, exact GELU, linear.
///
/// Follows `transformers` 4.57 (`modeling_internvl.py`), names of its layout on disk. Computes in f32 whatever the
/// weights are stored in. Working memory is kept, so a tower serves one caller at a time.
package final class VisionTower {
    private let configuration: ModelConfiguration
    private let pool: ComputePool
    private let patchEmbedding: Linear
    private let classToken: FloatVector
    private let positions: FloatVector  // [1 + patches, hiddenSize]
    private let blocks: [VisionBlock]
    private let finalNorm: Norm?
    private let projectorNorm: Norm
    private let linear1: Linear
    private let linear2: Linear
    private let memory = VisionMemory()

    /// Finds the tower's weights; matrices stay where they are stored.
    package init(
        _ loader: WeightLoader,
        configuration: ModelConfiguration,
        pool: ComputePool
    ) throws(CheckpointError) {
        self.configuration = configuration
        self.pool = pool
        let v = configuration.vision, p = configuration.projector
        let precision = loader.precision.vision
        // Pixels come first: what is lost here is lost for all layers, and it is half a percent of the work.
        patchEmbedding = Linear(
            weights: try loader.weights(
                TensorNames.patches + ".weight",
                shape: [v.hiddenSize, v.channels, v.patchSize, v.patchSize],
                precision: .f32
            ),
            bias: try loader.vector(TensorNames.patches + ".bias", shape: [v.hiddenSize])
        )
        classToken = try loader.vector(TensorNames.classToken, shape: [1, 1, v.hiddenSize])
        positions = try loader.vector(TensorNames.positions, shape: [1, v.tokens, v.hiddenSize])
        var blocks: [VisionBlock] = []
        for layer in 0..<v.layers { blocks.append(try VisionBlock(loader, TensorNames.VisionBlock(layer), v)) }
        self.blocks = blocks
        finalNorm = v.hasFinalNorm ? try Norm(loader, TensorNames.visionFinalNorm, v) : nil
        projectorNorm = try Norm(
            layer: loader,
            TensorNames.projectorNorm,
            width: p.inputSize,
            eps: p.normEps
        )
        linear1 = try Linear(
            loader,
            TensorNames.projectorLinear1,
            inputs: p.inputSize,
            outputs: p.hiddenSize,
            hasBias: true,
            precision: precision
        )
        linear2 = try Linear(
            loader,
            TensorNames.projectorLinear2,
            inputs: p.hiddenSize,
            outputs: p.hiddenSize,
            hasBias: true,
            precision: precision
        )
    }

    /// The image tokens of tiles, one tile after the other.
    ///
    /// - Parameters:
    ///   - pixels: [tiles, 3, imageSize, imageSize], normalised.
    ///   - isCancelled: asked once a layer.
    ///   - observe: sees the result of each stage of each tile, for tests: `patch_embeddings`, `embeddings`, `layer.I`,
    ///     `pixel_shuffle`, `projector`.
    /// - Returns: [tiles · tokens per tile, text.hiddenSize]; nil if cancelled.
    package func encode(
        _ pixels: [Float],
        isCancelled: () -> Bool = { false },
        observe: ((String, Matrix) -> Void)? = nil
    ) -> Matrix? {
        let v = configuration.vision
        let size = v.channels * v.imageSize * v.imageSize
        precondition(!pixels.isEmpty && pixels.count % size == 0, "\(pixels.count) pixels for tiles of \(v.imageSize)")
        let tiles = pixels.count / size
        let tokens = configuration.imageTokensPerTile
        var features = Matrix(zeros: tiles * tokens, configuration.projector.hiddenSize)
        let isComplete = features.values.withUnsafeMutableBufferPointer { output in
            pixels.withUnsafeBufferPointer { pixels in
                guard let output = output.baseAddress, let pixels = pixels.baseAddress else { return false }
                for tile in 0..<tiles {
                    let target = output + tile * tokens * configuration.projector.hiddenSize
                    guard encode(tile: pixels + tile * size, to: target, isCancelled, observe) else { return false }
                }
                return true
            }
        }
        return isComplete ? features : nil
    }

    /// - Returns: false if cancelled.
    private func encode(
        tile pixels: UnsafePointer<Float>,
        to output: UnsafeMutablePointer<Float>,
        _ isCancelled: () -> Bool,
        _ observe: ((String, Matrix) -> Void)?
    ) -> Bool {
        let v = configuration.vision, p = configuration.projector
        let d = v.hiddenSize, patches = v.gridSize * v.gridSize, tokens = configuration.imageTokensPerTile
        func see(_ stage: String, _ values: UnsafePointer<Float>, _ rows: Int, _ columns: Int) {
            if let observe { observe(stage, Matrix(rows: rows, columns: columns, copying: values)) }
        }
        let x = memory.stream.reserve(v.tokens * d)
        let cut = memory.wide.reserve(patches * patchEmbedding.inputs)
        cutPatches(pixels, to: cut)
        patchEmbedding.apply(cut, rows: patches, to: x + d, pool: pool)
        see("patch_embeddings", x + d, patches, d)
        x.update(from: classToken.pointer, count: d)
        ck_add(pool.handle, x, positions.pointer, v.tokens * d)
        see("embeddings", x, v.tokens, d)
        for (index, block) in blocks.enumerated() {
            if isCancelled() { return false }
            block.apply(to: x, rows: v.tokens, memory: memory, pool: pool)
            see("layer.\(index)", x, v.tokens, d)
        }
        if isCancelled() { return false }
        if let finalNorm { finalNorm.apply(x, rows: v.tokens, to: x, pool: pool) }
        let shuffled = memory.wide.reserve(tokens * p.inputSize)
        shufflePixels(x, to: shuffled)
        see("pixel_shuffle", shuffled, tokens, p.inputSize)
        projectorNorm.apply(shuffled, rows: tokens, to: shuffled, pool: pool)
        let hidden = memory.normed.reserve(tokens * p.hiddenSize)
        linear1.apply(shuffled, rows: tokens, to: hidden, epilogue: .gelu, pool: pool)
        linear2.apply(hidden, rows: tokens, to: output, pool: pool)
        see("projector", output, tokens, p.hiddenSize)
        return true
    }

    /// Patches as rows in the order of the convolution's weights: [patches, channels · patchSize · patchSize].
    private func cutPatches(_ pixels: UnsafePointer<Float>, to rows: UnsafeMutablePointer<Float>) {
        let v = configuration.vision
        let side = v.imageSize, patch = v.patchSize, grid = v.gridSize
        var target = rows
        for gy in 0..<grid {
            for gx in 0..<grid {
                for channel in 0..<v.channels {
                    for y in 0..<patch {
                        target.update(
                            from: pixels + (channel * side + gy * patch + y) * side + gx * patch,
                            count: patch
                        )
                        target += patch
                    }
                }
            }
        }
    }

    /// Pixel shuffle "v2": out[i][j] = x[2i][2j], x[2i][2j + 1], x[2i + 1][2j], x[2i + 1][2j + 1] side by side.
    ///
    /// - Parameter x: [1 + patches, hiddenSize]; the class token is dropped.
    private func shufflePixels(_ x: UnsafePointer<Float>, to output: UnsafeMutablePointer<Float>) {
        let factor = configuration.projector.shuffleFactor
        let grid = configuration.vision.gridSize, d = configuration.vision.hiddenSize, side = grid / factor
        var target = output
        for i in 0..<side {
            for j in 0..<side {
                for dy in 0..<factor {
                    for dx in 0..<factor {
                        let row = 1 + (i * factor + dy) * grid + j * factor + dx
                        target.update(from: x + row * d, count: d)
                        target += d
                    }
                }
            }
        }
    }
}
