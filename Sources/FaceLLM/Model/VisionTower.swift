/// InternViT and the projector behind it.
///
/// - Patch embedding: a convolution with bias, patches in row-major order; the class token first; learned positions
///   added to all 1 + N tokens.
/// - Block: x += λ₁ · attention(norm(x)); x += λ₂ · mlp(norm(x)), exact GELU. InternViT-300M: LayerNorm and q/k/v bias;
///   InternViT-6B: RMSNorm, RMS norms of query and key over the whole width, no q/k/v bias.
/// - No final norm. The class token is dropped, 2 x 2 patches become one token of four times the width, and the
///   projector takes that to the language model's width: LayerNorm, linear, exact GELU, linear.
///
/// Follows `transformers` 4.57 (`modeling_internvl.py`), names of its layout on disk.
package struct VisionTower: Sendable {
    private enum Norm: Sendable {
        case layer(weight: [Float], bias: [Float])
        case rms(weight: [Float])

        init(_ source: some WeightSource, _ name: String, _ vision: ModelConfiguration.Vision) throws(CheckpointError) {
            let weight = try source.tensor(name + ".weight", shape: [vision.hiddenSize]).values
            switch vision.norm {
            case .layer:
                self = .layer(
                    weight: weight,
                    bias: try source.tensor(name + ".bias", shape: [vision.hiddenSize]).values
                )
            case .rms: self = .rms(weight: weight)
            }
        }

        func callAsFunction(_ x: Matrix, eps: Float) -> Matrix {
            switch self {
            case .layer(let weight, let bias): Functions.layerNorm(x, weight: weight, bias: bias, eps: eps)
            case .rms(let weight): Functions.rmsNorm(x, weight: weight, eps: eps)
            }
        }
    }

    private struct Block: Sendable {
        let norm1: Norm, norm2: Norm
        let query: Linear, key: Linear, value: Linear, output: Linear
        let queryNorm: [Float]?, keyNorm: [Float]?
        let lambda1: [Float], lambda2: [Float]
        let fc1: Linear, fc2: Linear

        init(_ source: some WeightSource, _ prefix: String, _ v: ModelConfiguration.Vision) throws(CheckpointError) {
            let d = v.hiddenSize
            norm1 = try Norm(source, prefix + ".layernorm_before", v)
            norm2 = try Norm(source, prefix + ".layernorm_after", v)
            let attention = prefix + ".attention"
            func projection(_ name: String) throws(CheckpointError) -> Linear {
                try Linear(source, "\(attention).\(name)", inputs: d, outputs: d, hasBias: v.hasQKVBias)
            }
            query = try projection("q_proj")
            key = try projection("k_proj")
            value = try projection("v_proj")
            output = try Linear(source, attention + ".projection_layer", inputs: d, outputs: d, hasBias: true)
            queryNorm = v.usesQKNorm ? try source.tensor(attention + ".q_norm.weight", shape: [d]).values : nil
            keyNorm = v.usesQKNorm ? try source.tensor(attention + ".k_norm.weight", shape: [d]).values : nil
            lambda1 = try source.tensor(prefix + ".lambda_1", shape: [d]).values
            lambda2 = try source.tensor(prefix + ".lambda_2", shape: [d]).values
            fc1 = try Linear(source, prefix + ".mlp.fc1", inputs: d, outputs: v.intermediateSize, hasBias: true)
            fc2 = try Linear(source, prefix + ".mlp.fc2", inputs: v.intermediateSize, outputs: d, hasBias: true)
        }

        /// - Parameter x: [1 + patches, hiddenSize], changed in place.
        func forward(_ x: inout Matrix, _ v: ModelConfiguration.Vision) {
            let normed = norm1(x, eps: v.normEps)
            var q = query(normed), k = key(normed)
            if let queryNorm { q = Functions.rmsNorm(q, weight: queryNorm, eps: v.normEps) }
            if let keyNorm { k = Functions.rmsNorm(k, weight: keyNorm, eps: v.normEps) }
            let attended = Attention.attend(
                query: q,
                key: k,
                value: value(normed),
                heads: v.attentionHeads,
                kvHeads: v.attentionHeads,
                isCausal: false
            )
            x.add(output(attended), scale: lambda1)
            var hidden = fc1(norm2(x, eps: v.normEps))
            Functions.gelu(&hidden)
            x.add(fc2(hidden), scale: lambda2)
        }
    }

    private let configuration: ModelConfiguration
    private let patchEmbedding: Linear
    private let classToken: [Float]
    private let positions: [Float]  // [1 + patches, hiddenSize]
    private let blocks: [Block]
    private let projectorNorm: (weight: [Float], bias: [Float])
    private let linear1: Linear
    private let linear2: Linear

    /// Reads the tower's weights, widened to f32.
    package init(_ source: some WeightSource, configuration: ModelConfiguration) throws(CheckpointError) {
        self.configuration = configuration
        let v = configuration.vision, p = configuration.projector
        let embeddings = "vision_tower.embeddings"
        let patch = v.channels * v.patchSize * v.patchSize
        patchEmbedding = Linear(
            weight: try source.tensor(
                embeddings + ".patch_embeddings.projection.weight",
                shape: [v.hiddenSize, v.channels, v.patchSize, v.patchSize]
            ).values,
            bias: try source.tensor(embeddings + ".patch_embeddings.projection.bias", shape: [v.hiddenSize]).values,
            inputs: patch,
            outputs: v.hiddenSize
        )
        classToken = try source.tensor(embeddings + ".cls_token", shape: [1, 1, v.hiddenSize]).values
        positions = try source.tensor(embeddings + ".position_embeddings", shape: [1, v.tokens, v.hiddenSize]).values
        var blocks: [Block] = []
        for layer in 0..<v.layers { blocks.append(try Block(source, "vision_tower.encoder.layer.\(layer)", v)) }
        self.blocks = blocks
        let projector = "multi_modal_projector"
        projectorNorm = (
            try source.tensor(projector + ".layer_norm.weight", shape: [p.inputSize]).values,
            try source.tensor(projector + ".layer_norm.bias", shape: [p.inputSize]).values
        )
        linear1 = try Linear(source, projector + ".linear_1", inputs: p.inputSize, outputs: p.hiddenSize, hasBias: true)
        linear2 = try Linear(
            source,
            projector + ".linear_2",
            inputs: p.hiddenSize,
            outputs: p.hiddenSize,
            hasBias: true
        )
    }

    /// The image tokens of one tile.
    ///
    /// - Parameters:
    ///   - pixels: [3, imageSize, imageSize], normalised.
    ///   - observe: sees the result of each stage, for tests: `patch_embeddings`, `embeddings`, `layer.I`,
    ///     `pixel_shuffle`, `projector`.
    /// - Returns: [tokens per tile, text.hiddenSize].
    package func encode(_ pixels: [Float], observe: (String, Matrix) -> Void = { _, _ in }) -> Matrix {
        let v = configuration.vision
        precondition(
            pixels.count == v.channels * v.imageSize * v.imageSize,
            "\(pixels.count) pixels for a tile of \(v.imageSize)"
        )
        let patches = patchEmbedding(cut(pixels))
        observe("patch_embeddings", patches)
        var x = Matrix(rows: v.tokens, columns: v.hiddenSize, values: classToken + patches.values)
        for index in x.values.indices { x.values[index] += positions[index] }
        observe("embeddings", x)
        for (index, block) in blocks.enumerated() {
            block.forward(&x, v)
            observe("layer.\(index)", x)
        }
        let shuffled = shuffle(x)
        observe("pixel_shuffle", shuffled)
        let normed = Functions.layerNorm(
            shuffled,
            weight: projectorNorm.weight,
            bias: projectorNorm.bias,
            eps: configuration.projector.normEps
        )
        var hidden = linear1(normed)
        Functions.gelu(&hidden)
        let tokens = linear2(hidden)
        observe("projector", tokens)
        return tokens
    }

    /// Patches as rows in the order of the convolution's weights: [patches, channels · patchSize · patchSize].
    private func cut(_ pixels: [Float]) -> Matrix {
        let v = configuration.vision
        let side = v.imageSize, patch = v.patchSize, grid = v.gridSize
        var rows = Matrix(zeros: grid * grid, v.channels * patch * patch)
        var target = 0
        for gy in 0..<grid {
            for gx in 0..<grid {
                for channel in 0..<v.channels {
                    for y in 0..<patch {
                        let source = (channel * side + gy * patch + y) * side + gx * patch
                        for x in 0..<patch {
                            rows.values[target] = pixels[source + x]
                            target += 1
                        }
                    }
                }
            }
        }
        return rows
    }

    /// Pixel shuffle "v2": out[i][j] = x[2i][2j], x[2i][2j + 1], x[2i + 1][2j], x[2i + 1][2j + 1] side by side.
    ///
    /// - Parameter x: [1 + patches, hiddenSize]; the class token is dropped.
    private func shuffle(_ x: Matrix) -> Matrix {
        let factor = configuration.projector.shuffleFactor
        let grid = configuration.vision.gridSize, d = x.columns, side = grid / factor
        var values: [Float] = []
        values.reserveCapacity(grid * grid * d)
        for i in 0..<side {
            for j in 0..<side {
                for dy in 0..<factor {
                    for dx in 0..<factor {
                        let row = 1 + (i * factor + dy) * grid + j * factor + dx
                        values += x.values[row * d..<(row + 1) * d]
                    }
                }
            }
        }
        return Matrix(rows: side * side, columns: d * factor * factor, values: values)
    }
}
