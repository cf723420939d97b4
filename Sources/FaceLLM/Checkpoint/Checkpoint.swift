/// A model folder that has been opened and checked: what the model is, and its weights under canonical names.
///
/// ```swift
/// let checkpoint = try Checkpoint.open("models/FaceLLM-1B")
/// let text = checkpoint.configuration.text
/// let embedding = try checkpoint.weights.tensor(TensorNames.embedding, shape: [text.vocabularySize, text.hiddenSize])
/// ```
///
/// The folder holds `config.json` and `model.safetensors`, or shards with their index; it may also lie one level below,
/// in `model/`. Weights are mapped, not read: opening costs the headers, and each `tensor` call converts one tensor.
package struct Checkpoint: Sendable {
    /// The folder with `config.json`.
    package let directory: String
    /// As `config.json` says, but for `text.tiesEmbeddings`, which follows the weights.
    package let configuration: ModelConfiguration
    package let layout: Layout
    /// The files that the weights come from, adapters included, in a fixed order.
    package let weightFiles: [String]
    /// Every name of `TensorNames.required(by: configuration)`, with adapters merged.
    package let weights: any WeightSource

    /// Opens a model and checks that every tensor that its configuration needs is there, in the right shape.
    ///
    /// - Parameters:
    ///   - path: the model's folder, or the one that holds it as `model`.
    ///   - adapters: folders of `peft` LoRA adapters, merged in this order.
    /// - Throws: `CheckpointError` with file, tensor or key, what was expected and what was found.
    package static func open(_ path: String, adapters: [String] = []) throws(CheckpointError) -> Checkpoint {
        let directory = try modelDirectory(path)
        var configuration = try ModelConfiguration(path: "\(directory)/config.json")
        let base = try ShardedCheckpoint(directory: directory)
        let names = base.names
        let layout = try Layout.recognise(names, file: base.path)
        // A head that is in the file is used, whatever the flags say.
        if names.contains(layout.location(of: TensorNames.head).name) { configuration.text.tiesEmbeddings = false }
        let requirements = TensorNames.required(by: configuration)
        var weights: any WeightSource = try CanonicalWeights(base, layout: layout, requirements: requirements)
        var files = base.paths
        if !adapters.isEmpty {
            var opened: [LoRAAdapter] = []
            for adapter in adapters {
                files.append("\(withoutSlash(adapter))/adapter_config.json")
                files.append("\(withoutSlash(adapter))/adapter_model.safetensors")
                opened.append(try LoRAAdapter(directory: withoutSlash(adapter), requirements: requirements))
            }
            weights = AdaptedWeights(weights, adapters: opened)
        }
        return Checkpoint(
            directory: directory,
            configuration: configuration,
            layout: layout,
            weightFiles: files,
            weights: weights
        )
    }

    /// What people call the model: the name of its folder, "FaceLLM-1B".
    package var name: String {
        let parts = directory.split(separator: "/")
        let last = parts.last.map(String.init) ?? directory
        return last == "model" && parts.count > 1 ? String(parts[parts.count - 2]) : last
    }

    /// The folder that holds `config.json`: the one named, or `model` in it.
    package static func modelDirectory(_ path: String) throws(CheckpointError) -> String {
        let directory = withoutSlash(path)
        for candidate in [directory, "\(directory)/model"] where MappedFile.exists("\(candidate)/config.json") {
            return candidate
        }
        let isAdapter = MappedFile.exists("\(directory)/adapter_config.json")
        let found =
            if isAdapter {
                "an adapter"
            } else if MappedFile.isDirectory(directory) {
                "a folder without it"
            } else {
                MappedFile.exists(directory) ? "a file" : "nothing of this name"
            }
        throw CheckpointError(
            .unreadable,
            file: directory,
            expected: "a folder with config.json",
            found: found,
            remedy: isAdapter
                ? "Name the base model here and this folder as its adapter." : "Name the folder of an InternVL3 model."
        )
    }

    private static func withoutSlash(_ path: String) -> String {
        var path = path
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
