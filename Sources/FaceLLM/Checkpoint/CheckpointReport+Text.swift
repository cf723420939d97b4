internal import FoundationEssentials

extension CheckpointReport {
    /// The report as one JSON object over several lines, keys in snake case and sorted.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Summary(isUsable: isUsable, report: self)), as: UTF8.self)
    }

    /// The report with its conclusion, which a program would otherwise have to draw itself.
    private struct Summary: Encodable {
        let isUsable: Bool
        let report: CheckpointReport
    }

    /// The report for people.
    package var text: String {
        var lines = [directory]
        func add(_ name: String, _ value: String?) {
            guard let value else { return }
            lines.append("  " + name + String(repeating: " ", count: max(1, 12 - name.count)) + value)
        }
        add("noise", noise.map { "yes: \($0)" })
        add("model", architecture.map(Self.words))
        add("parameters", architecture.map(Self.parameters))
        add("memory", architecture.map { Self.words($0.memory) })
        add("weights", weights.map(Self.words))
        for file in weights?.files ?? [] { add("file", "\(file.name), \(Self.grouped(file.bytes)) bytes") }
        add("values", values.map(Self.words))
        add("tokenizer", tokenizer.map(Self.words))
        add("stop ids", stopTokens.map { $0.isEmpty ? "none" : $0.map(String.init).joined(separator: ", ") })
        add("images", images.map(Self.words))
        for remark in remarks { add("remark", remark) }
        lines.append(isUsable ? "This model can be run." : "This model cannot be run:")
        lines += faults.map { "  " + Self.words($0, in: directory) }
        // Hundreds of tensors may have one and the same remedy.
        var told: Set<String> = [""]
        lines += faults.map(\.remedy).filter { told.insert($0).inserted }.map { "→ \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - Lines

    private static func words(_ architecture: Architecture) -> String {
        func part(_ part: Part) -> String { "\(part.layers) x \(part.hiddenSize)" }
        return "\(architecture.name ?? "another size of InternVL3"): vision \(part(architecture.vision)), "
            + "text \(part(architecture.text)), vocabulary \(grouped(architecture.vocabularySize))"
    }

    private static func parameters(_ architecture: Architecture) -> String {
        "\(grouped(architecture.parameters)): vision \(grouped(architecture.vision.parameters)), "
            + "projector \(grouped(architecture.projector.parameters)), text \(grouped(architecture.text.parameters))"
    }

    private static func words(_ memory: Memory) -> String {
        // A prompt with a picture, its answer and the closed questions stay below a thousand tokens.
        func peak(_ weights: Int) -> String {
            mebibytes(weights + memory.working + memory.program + 1000 * memory.cachePerToken)
        }
        return "about \(peak(memory.f32)) at f32, \(peak(memory.bf16)) from bf16 files, \(peak(memory.int8)) at int8, "
            + "\(peak(memory.int4)) at int4; \(grouped(memory.cachePerToken)) bytes a token of context"
    }

    private static func words(_ weights: Weights) -> String {
        let types = weights.elementTypes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return "layout \(weights.layout), \(weights.tensors) tensors (\(types.joined(separator: ", "))), "
            + (weights.hasSeparateHead ? "a head of its own" : "the embedding is the head")
    }

    private static func words(_ values: Values) -> String {
        values.checked == values.total
            ? "all \(grouped(values.total)) looked at"
            : "\(grouped(values.checked)) of \(grouped(values.total)) looked at"
    }

    private static func words(_ tokenizer: TokenizerFacts) -> String {
        let ids = tokenizer.specialTokens.sorted { $0.value < $1.value }.map { "\($0.key) \($0.value)" }
        return "\(tokenizer.kind), \(grouped(tokenizer.tokens)) tokens: \(ids.joined(separator: ", "))"
    }

    private static func words(_ images: Images) -> String {
        func list(_ numbers: [Float]) -> String { numbers.map { "\($0)" }.joined(separator: " ") }
        return "\(images.tileSize) pixels a side, \(images.tokensPerTile) tokens a tile, "
            + "\(images.maxTiles == 1 ? "one tile" : "up to \(images.maxTiles) tiles"), "
            + "mean \(list(images.mean)), deviation \(list(images.deviation))"
    }

    /// The error without its remedy, and without the folder that all have in common.
    private static func words(_ fault: CheckpointError, in directory: String) -> String {
        let bare = CheckpointError(
            fault.kind,
            file: fault.file.hasPrefix(directory + "/")
                ? String(fault.file.dropFirst(directory.count + 1)) : fault.file,
            tensor: fault.tensor,
            key: fault.key,
            expected: fault.expected,
            found: fault.found
        )
        return bare.description
    }

    private static func mebibytes(_ bytes: Int) -> String { "\(grouped((bytes + (1 << 19)) >> 20)) MiB" }

    /// With commas between thousands.
    private static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0 && index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
