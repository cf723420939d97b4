/// The tensors of a model folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
///
/// Every shard is opened and checked at once; the index has to agree with what the shards hold.
package struct ShardedCheckpoint: WeightSource {
    static let singleName = "model.safetensors"
    static let indexName = "model.safetensors.index.json"

    /// The file that stands for the whole in errors: the only one, or the index.
    package let path: String
    /// From a tensor's name to the file that holds it.
    private let files: [String: SafetensorsFile]

    /// - Parameter directory: a folder; where both forms are there, the single file wins, as in `transformers`.
    package init(directory: String) throws(CheckpointError) {
        let single = "\(directory)/\(Self.singleName)"
        let index = "\(directory)/\(Self.indexName)"
        if MappedFile.exists(single) || !MappedFile.exists(index) {
            guard MappedFile.exists(single) else { throw Self.noWeights(directory) }
            let file = try SafetensorsFile(path: single)
            path = single
            files = Dictionary(uniqueKeysWithValues: file.names.map { ($0, file) })
        } else {
            path = index
            files = try Self.shards(index: index, directory: directory)
        }
    }

    package var names: Set<String> { Set(files.keys) }

    package func shape(of name: String) -> [Int]? { files[name]?.shape(of: name) }

    package func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> Tensor {
        guard let file = files[name] else { throw missing(name) }
        return try file.tensor(name, shape: shape)
    }

    package func storedMatrix(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredMatrix? {
        guard let file = files[name] else { throw missing(name) }
        return try file.storedMatrix(name, shape: shape)
    }

    /// Some rows of a tensor where they lie.
    func storedMatrix(_ name: String, rows: Range<Int>) throws(CheckpointError) -> StoredMatrix? {
        guard let file = files[name] else { throw missing(name) }
        return try file.storedMatrix(name, rows: rows)
    }

    /// Some rows of a tensor; see `SafetensorsFile.tensor(_:rows:)`.
    func tensor(_ name: String, rows: Range<Int>) throws(CheckpointError) -> Tensor {
        guard let file = files[name] else { throw missing(name) }
        return try file.tensor(name, rows: rows)
    }

    /// The paths of the files that hold tensors, in the order of their names.
    var paths: [String] { Set(files.values.map(\.path)).sorted() }

    /// The file that holds a tensor.
    func file(of name: String) -> SafetensorsFile? { files[name] }

    private func missing(_ name: String) -> CheckpointError {
        let expected = "a tensor of this name"
        let found = "\(files.count) other tensors"
        return CheckpointError(.missingTensor, file: path, tensor: name, expected: expected, found: found)
    }

    // MARK: - Index

    private static func shards(index: String, directory: String) throws(CheckpointError) -> [String: SafetensorsFile] {
        let map = try weightMap(index)
        var opened: [String: SafetensorsFile] = [:]
        for shard in Set(map.values).sorted() {
            let path = "\(directory)/\(shard)"
            do throws(CheckpointError) {
                opened[shard] = try SafetensorsFile(path: path)
            } catch  where error.kind == .unreadable {
                throw CheckpointError(
                    .unreadable,
                    file: path,
                    expected: "the shard that \(indexName) names",
                    found: error.found,
                    remedy: "Fetch the missing shard into the folder of the index.",
                    code: error.code
                )
            }
        }
        var files: [String: SafetensorsFile] = [:]
        for (name, shard) in map.sorted(by: { $0.key < $1.key }) {
            guard let file = opened[shard], file.entry(name) != nil else {
                throw CheckpointError(
                    .missingTensor,
                    file: "\(directory)/\(shard)",
                    tensor: name,
                    expected: "the tensor, as \(indexName) says",
                    found: "none of this name",
                    remedy: "Fetch the index and the shards of one and the same version."
                )
            }
            files[name] = file
        }
        for (shard, file) in opened.sorted(by: { $0.key < $1.key }) {
            for name in file.names.sorted() where map[name] != shard {
                throw CheckpointError(
                    .malformed,
                    file: index,
                    tensor: name,
                    expected: "\"\(shard)\", which holds it",
                    found: map[name].map { "\"\($0)\"" } ?? "no entry",
                    remedy: "Fetch the index and the shards of one and the same version."
                )
            }
        }
        return files
    }

    /// `weight_map` of the index: from a tensor's name to a file name without folders.
    private static func weightMap(_ index: String) throws(CheckpointError) -> [String: String] {
        let members = try JSONValue.object(at: index, limit: 64 << 20)
        guard case .object(let map)? = members["weight_map"], !map.isEmpty else {
            let found = members["weight_map"]?.brief ?? "nothing"
            throw CheckpointError(
                .malformed,
                file: index,
                key: "weight_map",
                expected: "an object from tensor names to shards",
                found: found
            )
        }
        var result: [String: String] = [:]
        for (name, value) in map.sorted(by: { $0.key < $1.key }) {
            guard case .string(let shard) = value, isFileName(shard) else {
                throw CheckpointError(
                    .malformed,
                    file: index,
                    tensor: name,
                    expected: "the name of a .safetensors file in the same folder",
                    found: value.brief,
                    remedy: "An index that leads elsewhere is not to be trusted; fetch the model from its publisher."
                )
            }
            result[name] = shard
        }
        return result
    }

    /// Whether the text names a file of this folder and nothing beyond it.
    private static func isFileName(_ text: String) -> Bool {
        text.hasSuffix(".safetensors") && text.utf8.count <= 255
            && !text.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 0x20 }
    }

    private static func noWeights(_ directory: String) -> CheckpointError {
        let isPickle = ["pytorch_model.bin", "pytorch_model.bin.index.json"].contains {
            MappedFile.exists("\(directory)/\($0)")
        }
        let isAdapter = MappedFile.exists("\(directory)/adapter_model.safetensors")
        return CheckpointError(
            .unreadable,
            file: directory,
            expected: "\(singleName) or \(indexName)",
            found: isPickle ? "pytorch_model.bin" : isAdapter ? "an adapter" : "neither",
            remedy: isPickle
                ? "Save the model again with safe_serialization=True."
                : isAdapter ? "Name the base model here and this folder as its adapter." : "Name the folder of a model."
        )
    }
}
