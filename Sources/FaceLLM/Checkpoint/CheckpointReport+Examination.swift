extension CheckpointReport {
    /// Looks at a model folder; what is wrong becomes part of the report.
    ///
    /// - Parameters:
    ///   - path: the model's folder, or the one that holds it as `model`.
    ///   - isDeep: looks at every number of the weights rather than some rows of each tensor.
    package static func examine(_ path: String, isDeep: Bool = false) -> CheckpointReport {
        let directory: String
        do throws(CheckpointError) {
            directory = try Checkpoint.modelDirectory(path)
        } catch {
            var report = CheckpointReport(directory: path)
            report.faults.append(error)
            return report
        }
        var report = CheckpointReport(directory: directory)
        report.attempt { (report) throws(CheckpointError) in try report.examineModel(isDeep: isDeep) }
        return report
    }

    private mutating func attempt(_ body: (inout CheckpointReport) throws(CheckpointError) -> Void) {
        do throws(CheckpointError) { try body(&self) } catch { faults.append(error) }
    }

    private mutating func examineModel(isDeep: Bool) throws(CheckpointError) {
        let file = "\(directory)/config.json"
        if case .string(let note)? = try JSONValue.object(at: file, limit: 16 << 20)[RandomCheckpoint.noteKey] {
            noise = CheckpointError.printable(note)
        }
        var configuration = try ModelConfiguration(path: file)
        // The head decides on the number of parameters, so the weights come first.
        attempt { (report) throws(CheckpointError) in
            try report.examineWeights(&configuration, isDeep: isDeep)
        }
        architecture = Architecture(configuration)
        var tokenizer: Tokenizer?
        attempt { (report) throws(CheckpointError) in tokenizer = try report.examineTokenizer(configuration) }
        attempt { (report) throws(CheckpointError) in
            let size = configuration.text.vocabularySize
            let defaults = try GenerationDefaults(
                directory: report.directory,
                tokenizer: tokenizer,
                vocabularySize: size
            )
            report.stopTokens = defaults.stopIDs.sorted()
            if defaults.stopIDs.isEmpty { report.remarks.append("no stop token: answers end by their length only") }
        }
        attempt { (report) throws(CheckpointError) in
            let settings = try ImageProcessor.Configuration(
                directory: report.directory,
                tileSize: configuration.vision.imageSize
            )
            report.images = Images(
                tileSize: settings.tileSize,
                tokensPerTile: configuration.imageTokensPerTile,
                maxTiles: settings.maxTiles,
                mean: settings.mean,
                deviation: settings.deviation
            )
        }
    }

    // MARK: - Weights

    /// - Parameter configuration: its `tiesEmbeddings` follows the weights afterwards.
    private mutating func examineWeights(
        _ configuration: inout ModelConfiguration,
        isDeep: Bool
    ) throws(CheckpointError) {
        let base = try ShardedCheckpoint(directory: directory)
        let layout = try Layout.recognise(base.names, file: base.path)
        let hasHead = base.names.contains(layout.location(of: TensorNames.head).name)
        if hasHead { configuration.text.tiesEmbeddings = false }

        let requirements = TensorNames.required(by: configuration)
        var needed: Set<String> = []
        var sound: [String] = []
        for requirement in requirements {
            // Query, key and value may be one tensor, which is told of once.
            let name = layout.location(of: requirement.name).name
            guard needed.insert(name).inserted else { continue }
            if let fault = CanonicalWeights.fault(of: requirement, in: base, layout: layout) {
                faults.append(fault)
            } else {
                sound.append(name)
            }
        }
        let surplus = base.names.subtracting(needed).sorted()
        if let first = surplus.first {
            let example = CheckpointError.printable(first)
            remarks.append("\(surplus.count) tensors that the model does not need, as \"\(example)\"")
        }
        var types: [String: Int] = [:]
        for name in base.names {
            if let type = base.file(of: name)?.entry(name)?.type { types[type.rawValue, default: 0] += 1 }
        }
        var files: [File] = []
        for path in base.paths {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            files.append(File(name: name, bytes: try MappedFile(path, expected: "a safetensors file").count))
        }
        weights = Weights(
            layout: layout.letter,
            tensors: base.names.count,
            elementTypes: types,
            hasSeparateHead: hasHead,
            files: files
        )
        try examineValues(sound, of: base, isDeep: isDeep)
    }

    /// Looks for infinities and NaN: everywhere, or in the first rows and the last one of each tensor.
    private mutating func examineValues(
        _ names: [String],
        of base: ShardedCheckpoint,
        isDeep: Bool
    ) throws(CheckpointError) {
        var checked = 0
        var total = 0
        for name in names {
            guard let file = base.file(of: name), let shape = file.shape(of: name) else { continue }
            let rows = shape.first ?? 1
            let columns = shape.dropFirst().reduce(1, *)
            total += rows * columns
            // Up to 4 MB of float32 at a time, or 256 KB where a sample is enough.
            let step = max(1, (isDeep ? 1 << 20 : 1 << 16) / max(1, columns))
            var blocks = stride(from: 0, to: rows, by: step).map { $0..<min(rows, $0 + step) }
            if !isDeep, blocks.count > 1 { blocks = [blocks[0], rows - 1..<rows] }
            for block in blocks {
                let values = try file.tensor(name, rows: block).values
                checked += values.count
                guard let place = values.firstIndex(where: { !$0.isFinite }) else { continue }
                faults.append(
                    CheckpointError(
                        .malformed,
                        file: file.path,
                        tensor: name,
                        expected: "finite numbers",
                        found: "\(values[place]) in row \(block.lowerBound + place / max(1, columns))",
                        remedy: "Fetch the file again and compare its checksum."
                    )
                )
                break
            }
        }
        values = Values(checked: checked, total: total)
    }

    // MARK: - Tokenizer

    private static let neededTokens = ["<|im_start|>", "<|im_end|>", "<img>", "</img>", ChatPrompt.imageToken]

    private mutating func examineTokenizer(_ configuration: ModelConfiguration) throws(CheckpointError) -> Tokenizer {
        let tokenizer: Tokenizer
        do throws(TokenizerError) {
            tokenizer = try Tokenizer(folder: directory)
        } catch {
            throw CheckpointError(error)
        }
        let size = configuration.text.vocabularySize
        var ids: [String: Int] = [:]
        for token in Self.neededTokens {
            let id = tokenizer.id(of: token).map(Int.init)
            if let id { ids[token] = id }
            if let id, id < size { continue }
            faults.append(misfit("the token \(token) with an id below \(size)", id.map { "the id \($0)" } ?? "none"))
        }
        self.tokenizer = TokenizerFacts(
            kind: MappedFile.exists("\(directory)/tokenizer.json") ? "tokenizer.json" : "vocab.json and merges.txt",
            tokens: tokenizer.endID,
            specialTokens: ids
        )
        if tokenizer.vocabulary.endID > size {
            faults.append(misfit("byte-pair tokens below \(size)", "ids up to \(tokenizer.vocabulary.endID - 1)"))
        }
        if let id = configuration.imageTokenID, let found = ids[ChatPrompt.imageToken], found != id {
            faults.append(misfit("\(ChatPrompt.imageToken) with the id \(id) of config.json", "the id \(found)"))
        }
        let beyond = tokenizer.addedTokens.filter { $0.id >= size && !Self.neededTokens.contains($0.content) }
        if !beyond.isEmpty {
            let names = beyond.map { CheckpointError.printable($0.content) }.joined(separator: ", ")
            remarks.append("the tokenizer has tokens that the model has not: \(names)")
        }
        if tokenizer.endID < size { remarks.append("the model has \(size - tokenizer.endID) ids without a token") }
        return tokenizer
    }

    private func misfit(_ expected: String, _ found: String) -> CheckpointError {
        CheckpointError(
            .invalidConfiguration,
            file: directory,
            key: "tokenizer",
            expected: expected,
            found: found,
            remedy: "The tokenizer's files and config.json belong to different models."
        )
    }
}

extension CheckpointReport.Architecture {
    /// The published models by vision layers, text layers and text width; head counts and widths follow from these.
    private static let published: [(name: String, vision: Int, layers: Int, hiddenSize: Int, intermediateSize: Int)] = [
        ("InternVL3-1B", 24, 24, 896, 4864), ("InternVL3-2B", 24, 28, 1536, 8960),
        ("InternVL3-8B", 24, 28, 3584, 18944), ("InternVL3-14B", 24, 48, 5120, 13824),
        ("InternVL3-38B", 45, 64, 5120, 27648),
    ]

    init(_ configuration: ModelConfiguration) {
        let vision = configuration.vision
        let text = configuration.text
        var counts = (vision: 0, projector: 0, text: 0)
        for requirement in TensorNames.required(by: configuration) {
            let count = requirement.shape.reduce(1, *)
            if requirement.name.hasPrefix("vision_tower.") {
                counts.vision += count
            } else if requirement.name.hasPrefix("multi_modal_projector.") {
                counts.projector += count
            } else {
                counts.text += count
            }
        }
        func bytes(_ vision: WeightPrecision, _ text: WeightPrecision) -> Int {
            WeightLoader.byteCount(configuration, precision: ModelPrecision(vision: vision, text: text))
        }
        self.init(
            name: Self.published.first {
                $0.vision == vision.layers && $0.layers == text.layers && $0.hiddenSize == text.hiddenSize
                    && $0.intermediateSize == text.intermediateSize
            }?.name,
            vision: .init(layers: vision.layers, hiddenSize: vision.hiddenSize, parameters: counts.vision),
            projector: .init(layers: 2, hiddenSize: configuration.projector.hiddenSize, parameters: counts.projector),
            text: .init(layers: text.layers, hiddenSize: text.hiddenSize, parameters: counts.text),
            vocabularySize: text.vocabularySize,
            memory: .init(
                bf16: bytes(.bf16, .bf16),
                f32: bytes(.f32, .f32),
                int8: bytes(.int8, .int8),
                int4: bytes(.int8, .int4),
                working: Self.workingMemory(configuration),
                program: Self.programMemory,
                cachePerToken: 2 * 4 * text.layers * text.kvHeads * text.headDim
            )
        )
    }
}

extension CheckpointReport.Architecture {
    /// What the program took on x86-64 beyond weights, cache and buffers.
    ///
    /// `facellm describe` with 1B weights: 194, 193 and 167 MiB at int8, int4 and f32. About 90 less without the networks
    /// that find the face, 40 more where weights are quantised first.
    fileprivate static let programMemory = 194 << 20

    /// What computing one face at a time takes beside weights and cache: the buffers of `VisionMemory` and `TextMemory`.
    fileprivate static func workingMemory(_ configuration: ModelConfiguration) -> Int {
        let v = configuration.vision, t = configuration.text
        let vision = v.tokens * (5 * v.hiddenSize + v.intermediateSize)
        let wide = 2 * t.hiddenSize + 2 * t.attentionHeads * t.headDim + 2 * t.intermediateSize + t.headDim
        let text = LanguageModel.chunk * wide
        // Closed questions compute sixteen rows of logits at once.
        return 4 * (vision + text + 16 * t.vocabularySize)
    }
}

extension Layout {
    /// The name of the layout in texts for people.
    fileprivate var letter: String {
        switch self {
        case .chat: "A"
        case .huggingFace: "B"
        case .nested: "B′"
        }
    }
}
