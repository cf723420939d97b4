/// A low-rank adapter as `peft` saves it: `adapter_config.json` and `adapter_model.safetensors` in one folder.
///
/// A matrix W [out, in] becomes W + s·B·A with A [r, in], B [out, r] and s = alpha/r, or alpha/√r with `use_rslora`.
/// Which matrices change follows from the tensors in the file, not from the patterns in `target_modules`.
package struct LoRAAdapter: Sendable {
    /// What is added to one canonical tensor.
    package struct Delta: Sendable {
        /// The factor on the right, [r, in].
        let a: Tensor
        /// The factor on the left, [out, r].
        let b: Tensor
        let scaling: Float
    }

    package let directory: String
    package let rank: Int
    package let scaling: Float
    /// By canonical names.
    package let deltas: [String: Delta]

    /// - Parameters:
    ///   - directory: the adapter's folder.
    ///   - requirements: the tensors of the model that it is for.
    /// - Throws: `CheckpointError`, of kind `adapterMismatch` where it is not made for this model.
    package init(
        directory: String,
        requirements: [TensorNames.Requirement]
    ) throws(CheckpointError) {
        self.directory = directory
        (rank, scaling) = try Self.configuration("\(directory)/adapter_config.json")
        let file = try SafetensorsFile(path: "\(directory)/adapter_model.safetensors")
        let pairs = try Self.pairs(file)
        let targets = Self.targets(requirements)
        var deltas: [String: Delta] = [:]
        for (module, pair) in pairs.sorted(by: { $0.key < $1.key }) {
            guard let parts = targets[module] else {
                throw CheckpointError(
                    .adapterMismatch,
                    file: file.path,
                    tensor: pair.a,
                    expected: "a matrix of the base model",
                    found: "\"\(CheckpointError.printable(module))\", which it has not",
                    remedy: "Use the adapter with the model that it was trained on."
                )
            }
            for (name, delta) in try Self.read(pair, of: parts, file: file, rank: rank, scaling: scaling) {
                guard deltas.updateValue(delta, forKey: name) == nil else {
                    throw CheckpointError(
                        .adapterMismatch,
                        file: file.path,
                        tensor: pair.a,
                        expected: "one change for each matrix",
                        found: "a second one for \"\(name)\""
                    )
                }
            }
        }
        self.deltas = deltas
    }

    // MARK: - Configuration

    private static func configuration(_ path: String) throws(CheckpointError) -> (rank: Int, scaling: Float) {
        let members = try JSONValue.object(at: path, limit: 16 << 20)
        let reader = ConfigurationReader(file: path, members: members)
        guard reader["peft_type"] == .string("LORA") else {
            throw reader.invalid("peft_type", kind: .adapterMismatch, expected: "\"LORA\"")
        }
        let remedy = "Merge the adapter with peft (merge_and_unload) and use the merged model."
        for key in ["use_dora", "fan_in_fan_out", "lora_bias", "use_qalora"] {
            try reader.require(key, .bool(false), remedy: remedy)
        }
        try reader.require("bias", .string("none"), remedy: remedy)
        for key in ["rank_pattern", "alpha_pattern"] { try reader.require(key, .object([:]), remedy: remedy) }
        for key in ["modules_to_save", "trainable_token_indices", "target_parameters", "alora_invocation_tokens"] {
            try reader.require(key, .array([]), remedy: remedy)
        }
        for key in ["layer_replication", "arrow_config"] where reader[key] != nil {
            throw reader.invalid(key, kind: .adapterMismatch, expected: "null", remedy: remedy)
        }
        // The other initialisations (pissa, olora, corda, loftq) change the base weights too.
        if let start = reader["init_lora_weights"], ![.bool(true), .bool(false), .string("gaussian")].contains(start) {
            let expected = "true, false or \"gaussian\""
            throw reader.invalid("init_lora_weights", kind: .adapterMismatch, expected: expected, remedy: remedy)
        }
        let rank = try reader.integer("r", in: 1...65536)
        let alpha = try reader.number("lora_alpha", in: 0...1e6)
        let divisor = try reader.bool("use_rslora", default: false) ? Double(rank).squareRoot() : Double(rank)
        return (rank, Float(alpha / divisor))
    }

    // MARK: - Tensors

    private struct Pair {
        var a: String?
        var b: String?
    }

    /// The matrices' names in pairs, by the module that they change (without `base_model.model.`).
    private static func pairs(_ file: SafetensorsFile) throws(CheckpointError) -> [String: (a: String, b: String)] {
        let prefix = "base_model.model."
        let endings = [".lora_A.weight", ".lora_A.default.weight", ".lora_B.weight", ".lora_B.default.weight"]
        var found: [String: Pair] = [:]
        for name in file.names.sorted() {
            guard name.hasPrefix(prefix), let index = endings.firstIndex(where: { name.hasSuffix($0) }),
                name.utf8.count > prefix.utf8.count + endings[index].utf8.count
            else {
                throw CheckpointError(
                    .adapterMismatch,
                    file: file.path,
                    tensor: name,
                    expected: "\(prefix)*\(endings[0]) or *\(endings[2])",
                    found: "another name",
                    remedy: "Merge the adapter with peft (merge_and_unload) and use the merged model."
                )
            }
            let module = String(name.dropFirst(prefix.count).dropLast(endings[index].count))
            if index < 2 { found[module, default: Pair()].a = name } else { found[module, default: Pair()].b = name }
        }
        var pairs: [String: (a: String, b: String)] = [:]
        for (module, pair) in found.sorted(by: { $0.key < $1.key }) {
            guard let a = pair.a, let b = pair.b else {
                throw CheckpointError(
                    .missingTensor,
                    file: file.path,
                    tensor: "\(prefix)\(module).lora_\(pair.a == nil ? "A" : "B").weight",
                    expected: "lora_A and lora_B for each module",
                    found: "only lora_\(pair.a == nil ? "B" : "A")"
                )
            }
            pairs[module] = (a, b)
        }
        guard !pairs.isEmpty else {
            throw CheckpointError(.adapterMismatch, file: file.path, expected: "pairs of matrices", found: "no tensors")
        }
        return pairs
    }

    /// A canonical tensor as the whole or a third of a module.
    private struct Part {
        let requirement: TensorNames.Requirement
        let third: Int?
    }

    /// From a module's name in any of the layouts to the canonical tensors that it consists of.
    private static func targets(_ requirements: [TensorNames.Requirement]) -> [String: [Part]] {
        var targets: [String: [Part]] = [:]
        let ending = ".weight"
        for requirement in requirements where requirement.name.hasSuffix(ending) && requirement.shape.count == 2 {
            // An embedding is looked up, not multiplied; peft names its matrices otherwise, and differently shaped.
            guard requirement.name != TensorNames.embedding else { continue }
            // Layouts share some names, above all those of the language model.
            for location in Set(Layout.allCases.map { $0.location(of: requirement.name) }) {
                let module = String(location.name.dropLast(ending.count))
                targets[module, default: []].append(Part(requirement: requirement, third: location.third))
            }
        }
        return targets
    }

    private static func read(
        _ pair: (a: String, b: String),
        of parts: [Part],
        file: SafetensorsFile,
        rank: Int,
        scaling: Float
    ) throws(CheckpointError) -> [(String, Delta)] {
        let columns = parts[0].requirement.shape[1]
        let rows = parts.reduce(0) { $0 + $1.requirement.shape[0] }
        for (name, shape) in [(pair.a, [rank, columns]), (pair.b, [rows, rank])] where file.shape(of: name) != shape {
            throw CheckpointError(
                .adapterMismatch,
                file: file.path,
                tensor: name,
                expected: "shape \(shape)",
                found: "\(file.shape(of: name) ?? [])",
                remedy: "Use the adapter with the model that it was trained on."
            )
        }
        for name in [pair.a, pair.b] {
            guard let type = file.entry(name)?.type, type.isWeight else {
                throw CheckpointError(
                    .wrongType,
                    file: file.path,
                    tensor: name,
                    expected: "F32, BF16 or F16",
                    found: file.entry(name)?.type.rawValue ?? "nothing"
                )
            }
        }
        let a = try file.tensor(pair.a, shape: [rank, columns])
        var deltas: [(String, Delta)] = []
        for part in parts {
            let count = part.requirement.shape[0]
            let first = (part.third ?? 0) * count
            let b = try file.tensor(pair.b, rows: first..<first + count)
            deltas.append((part.requirement.name, Delta(a: a, b: b, scaling: scaling)))
        }
        return deltas
    }
}

/// Weights with adapters added as they are read.
package struct AdaptedWeights: WeightSource {
    package let base: any WeightSource
    /// In the order in which they are added.
    package let adapters: [LoRAAdapter]

    package init(_ base: any WeightSource, adapters: [LoRAAdapter]) {
        self.base = base
        self.adapters = adapters
    }

    package var names: Set<String> { base.names }

    package func shape(of name: String) -> [Int]? { base.shape(of: name) }

    package func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> Tensor {
        var tensor = try base.tensor(name, shape: shape)
        for adapter in adapters { adapter.deltas[name]?.add(to: &tensor.values) }
        return tensor
    }

    package func storedMatrix(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredMatrix? {
        adapters.contains { $0.deltas[name] != nil } ? nil : try base.storedMatrix(name, shape: shape)
    }
}

extension LoRAAdapter.Delta {
    /// Adds s·B·A to a matrix [out, in]; the product is summed over the rank first, as `peft` does.
    func add(to weights: inout [Float]) {
        let (rows, columns, rank) = (b.rows, a.columns, a.rows)
        precondition(weights.count == rows * columns, "\(weights.count) weights for \(rows) x \(columns)")
        var sums = [Float](repeating: 0, count: columns)
        weights.withUnsafeMutableBufferPointer { weights in
            sums.withUnsafeMutableBufferPointer { sums in
                a.values.withUnsafeBufferPointer { a in
                    for row in 0..<rows {
                        sums.update(repeating: 0)
                        for index in 0..<rank {
                            let factor = b.values[row * rank + index]
                            for column in 0..<columns { sums[column] += factor * a[index * columns + column] }
                        }
                        for column in 0..<columns { weights[row * columns + column] += scaling * sums[column] }
                    }
                }
            }
        }
    }
}
