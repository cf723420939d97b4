/// The three ways in which files name InternVL3's tensors, told apart by the names themselves.
package enum Layout: String, Sendable, Hashable, CaseIterable {
    /// `InternVLForConditionalGeneration` on disk: the canonical names.
    case huggingFace = "vision_tower."
    /// The same as it is in memory, and on disk for newer files: everything below `model.`, `lm_head` at the top.
    case nested = "model.vision_tower."
    /// `InternVLChatModel` of the original repository: fused query, key and value, other names.
    case chat = "vision_model."

    /// Where a canonical tensor lies: a tensor of the file, all of it or a third of its rows.
    package struct Location: Sendable, Hashable {
        package let name: String
        /// 0, 1, 2 for query, key, value in a fused tensor; `nil` where the tensor stands alone.
        package let third: Int?

        package init(name: String, third: Int? = nil) {
            self.name = name
            self.third = third
        }
    }

    /// The layout of a file with these names.
    ///
    /// - Parameter file: for the error.
    /// - Throws: `CheckpointError` of kind `unknownArchitecture` where none or more than one fits.
    package static func recognise(_ names: Set<String>, file: String) throws(CheckpointError) -> Layout {
        let matching = allCases.filter { layout in names.contains { $0.hasPrefix(layout.rawValue) } }
        guard let layout = matching.first, matching.count == 1 else {
            let example = names.min().map { "names such as \"\(CheckpointError.printable($0))\"" } ?? "no tensors"
            throw CheckpointError(
                .unknownArchitecture,
                file: file,
                expected: "tensors of one of \(allCases.map { "\($0.rawValue)*" }.joined(separator: ", "))",
                found: matching.isEmpty ? example : matching.map { "\($0.rawValue)*" }.joined(separator: " and "),
                remedy: "This program runs InternVL3 and FaceLLM; a language model alone has no vision tower."
            )
        }
        return layout
    }

    /// Where this layout keeps a tensor of a canonical name.
    package func location(of canonical: String) -> Location {
        switch self {
        case .huggingFace: Location(name: canonical)
        case .nested: Location(name: Self.nestedName(canonical))
        case .chat: Self.chatLocation(canonical)
        }
    }

    private static func nestedName(_ canonical: String) -> String {
        if canonical == TensorNames.head { return "lm_head.weight" }
        if let rest = canonical.after("language_model.model.") { return "model.language_model.\(rest)" }
        return "model.\(canonical)"
    }

    private static func chatLocation(_ canonical: String) -> Location {
        if let rest = canonical.after("vision_tower.encoder.layer.") {
            return chatBlock(rest) ?? Location(name: canonical)
        }
        for (ours, theirs) in chatPrefixes {
            if let rest = canonical.after(ours) { return Location(name: theirs + rest) }
        }
        return Location(name: canonical)
    }

    /// - Parameter rest: what follows `vision_tower.encoder.layer.`, as `3.attention.q_proj.bias`.
    private static func chatBlock(_ rest: String) -> Location? {
        guard let dot = rest.firstIndex(of: ".") else { return nil }
        let prefix = "vision_model.encoder.layers.\(rest[..<dot])."
        let part = String(rest[rest.index(after: dot)...])
        for (third, name) in ["q", "k", "v"].enumerated() {
            if let leaf = part.after("attention.\(name)_proj.") {
                return Location(name: "\(prefix)attn.qkv.\(leaf)", third: third)
            }
        }
        for (ours, theirs) in chatBlockPrefixes {
            if let leaf = part.after(ours) { return Location(name: prefix + theirs + leaf) }
        }
        return Location(name: prefix + part)
    }

    private static let chatPrefixes = [
        ("vision_tower.embeddings.cls_token", "vision_model.embeddings.class_embedding"),
        ("vision_tower.embeddings.position_embeddings", "vision_model.embeddings.position_embedding"),
        ("vision_tower.embeddings.patch_embeddings.projection", "vision_model.embeddings.patch_embedding"),
        ("multi_modal_projector.layer_norm", "mlp1.0"),
        ("multi_modal_projector.linear_1", "mlp1.1"),
        ("multi_modal_projector.linear_2", "mlp1.3"),
    ]

    private static let chatBlockPrefixes = [
        ("attention.projection_layer", "attn.proj"),
        ("attention.q_norm", "attn.q_norm"),
        ("attention.k_norm", "attn.k_norm"),
        ("layernorm_before", "norm1"),
        ("layernorm_after", "norm2"),
        ("lambda_1", "ls1"),
        ("lambda_2", "ls2"),
    ]
}

extension String {
    /// What follows a prefix; `nil` where the string does not start with it.
    fileprivate func after(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}

/// The tensors of a file in any layout, under the canonical names.
package struct CanonicalWeights: WeightSource {
    package let base: ShardedCheckpoint
    package let layout: Layout
    private let shapes: [String: [Int]]

    /// Checks that the files hold every tensor that the model needs, in the right shape and a type of weights.
    ///
    /// - Throws: `CheckpointError` of kind `missingTensor`, `wrongShape` or `wrongType` for the first that is not so.
    init(
        _ base: ShardedCheckpoint,
        layout: Layout,
        requirements: [TensorNames.Requirement]
    ) throws(CheckpointError) {
        self.base = base
        self.layout = layout
        for requirement in requirements {
            if let fault = Self.fault(of: requirement, in: base, layout: layout) { throw fault }
        }
        shapes = Dictionary(requirements.map { ($0.name, $0.shape) }) { first, _ in first }
    }

    /// What is wrong with one tensor that a model needs: it is missing, or of another shape, or no weights; nil where
    /// it is as it should be.
    static func fault(
        of requirement: TensorNames.Requirement,
        in base: ShardedCheckpoint,
        layout: Layout
    ) -> CheckpointError? {
        let location = layout.location(of: requirement.name)
        let expected = stored(requirement.shape, location)
        guard let file = base.file(of: location.name), let entry = file.entry(location.name) else {
            return CheckpointError(
                .missingTensor,
                file: base.path,
                tensor: location.name,
                expected: "shape \(expected)",
                found: "none of this name",
                remedy: requirement.name == TensorNames.head
                    ? "A model whose embedding is also its head says tie_word_embeddings: true."
                    : "The files are incomplete or belong to another config.json; fetch them together."
            )
        }
        guard entry.shape == expected else {
            return CheckpointError(
                .wrongShape,
                file: file.path,
                tensor: location.name,
                expected: "\(expected)",
                found: "\(entry.shape)",
                remedy: "The weights and config.json belong to different models."
            )
        }
        guard entry.type.isWeight else {
            return CheckpointError(
                .wrongType,
                file: file.path,
                tensor: location.name,
                expected: "F32, BF16 or F16",
                found: entry.type.rawValue,
                remedy: "Use the unquantised model."
            )
        }
        return nil
    }

    package var names: Set<String> { Set(shapes.keys) }

    package func shape(of name: String) -> [Int]? { shapes[name] }

    package func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> Tensor {
        let (stored, rows) = try place(of: name, shape: shape)
        return try base.tensor(stored, rows: rows)
    }

    package func storedMatrix(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredMatrix? {
        let (stored, rows) = try place(of: name, shape: shape)
        return try base.storedMatrix(stored, rows: rows)
    }

    /// The file's tensor and the rows of it that hold a tensor of this model.
    private func place(of name: String, shape: [Int]) throws(CheckpointError) -> (name: String, rows: Range<Int>) {
        guard let stored = shapes[name] else {
            throw CheckpointError(
                .missingTensor,
                file: base.path,
                tensor: name,
                expected: "shape \(shape)",
                found: "no such tensor in this model"
            )
        }
        guard stored == shape else {
            throw CheckpointError(.wrongShape, file: base.path, tensor: name, expected: "\(shape)", found: "\(stored)")
        }
        let location = layout.location(of: name)
        let rows = shape[0]
        let first = (location.third ?? 0) * rows
        return (location.name, first..<first + rows)
    }

    /// The shape that the file's tensor has: three times the rows where query, key and value are one.
    private static func stored(_ shape: [Int], _ location: Layout.Location) -> [Int] {
        location.third == nil ? shape : [3 * shape[0]] + shape.dropFirst()
    }
}
