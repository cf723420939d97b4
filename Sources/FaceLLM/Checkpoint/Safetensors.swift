/// One file in the safetensors format, mapped into memory.
///
/// Layout: 8 bytes little-endian length n of the header; n bytes of JSON that starts with `{`, from the tensor's name
/// to its `dtype`, `shape` and `data_offsets` [begin, end); then the data, little-endian, row-major. The offsets count
/// from the end of the header, follow one another without hole or overlap, and end where the file ends
/// (https://github.com/huggingface/safetensors, "Format" and `SafeTensors::read_metadata`).
///
/// Everything is checked when the file is opened, before any of the data is used. Reading is safe from any thread.
package final class SafetensorsFile: WeightSource {
    /// Where a tensor lies.
    package struct Entry: Sendable, Hashable {
        package let type: ElementType
        package let shape: [Int]
        /// The position of the first byte in the file.
        let begin: Int
        /// The number of values.
        let count: Int
    }

    package let path: String
    private let entries: [String: Entry]
    private let file: MappedFile

    /// - Throws: `CheckpointError` of kind `unreadable`, `truncated`, `malformed`, `wrongShape` or `wrongType`.
    package init(path: String) throws(CheckpointError) {
        let file = try MappedFile(path, expected: "a safetensors file")
        let header = SafetensorsHeader(path: path, fileSize: file.count)
        self.entries = try file.withBytes { (bytes) throws(CheckpointError) in try header.entries(bytes) }
        self.file = file
        self.path = path
    }

    package var names: Set<String> { Set(entries.keys) }

    package func shape(of name: String) -> [Int]? { entries[name]?.shape }

    /// The element type and shape of a tensor.
    package func entry(_ name: String) -> Entry? { entries[name] }

    package func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> Tensor {
        try checked(name, shape: shape)
        return try tensor(name, rows: 0..<(shape.first ?? 1))
    }

    /// Some rows of a tensor (of its first axis), converted to float32.
    ///
    /// - Parameter rows: within the first axis; `0..<1` for a tensor without axes.
    func tensor(_ name: String, rows: Range<Int>) throws(CheckpointError) -> Tensor {
        guard let entry = entries[name] else { throw missing(name) }
        let axis = entry.shape.first ?? 1
        precondition(
            rows.lowerBound >= 0 && rows.upperBound <= axis,
            "rows \(rows) of \"\(name)\", shape \(entry.shape)"
        )
        let shape = entry.shape.isEmpty ? [] : [rows.count] + entry.shape.dropFirst()
        // Not `entry.count / axis`: an axis may be 0.
        let columns = axis == 0 ? 0 : entry.count / axis
        let count = rows.count * columns
        let begin = entry.begin + rows.lowerBound * columns * entry.type.size
        guard entry.type.isReadable else {
            throw wrongType(name, entry.type, expected: "F32, BF16, F16 or I64")
        }
        let values = file.withBytes { bytes in
            entry.type.floats(UnsafeRawBufferPointer(rebasing: bytes[begin..<begin + count * entry.type.size]))
        }
        return Tensor(shape: shape, values: values)
    }

    package func storedMatrix(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredMatrix? {
        try checked(name, shape: shape)
        return try storedMatrix(name, rows: 0..<(shape.first ?? 1))
    }

    /// Some rows of a tensor (of its first axis) where they lie.
    ///
    /// - Parameter rows: within the first axis.
    func storedMatrix(_ name: String, rows: Range<Int>) throws(CheckpointError) -> StoredMatrix? {
        guard let entry = entries[name] else { throw missing(name) }
        guard entry.type.isWeight else { throw wrongType(name, entry.type, expected: "F32, BF16 or F16") }
        let axis = entry.shape.first ?? 1
        precondition(
            rows.lowerBound >= 0 && rows.upperBound <= axis,
            "rows \(rows) of \"\(name)\", shape \(entry.shape)"
        )
        let columns = axis == 0 ? 0 : entry.count / axis
        let begin = entry.begin + rows.lowerBound * columns * entry.type.size
        return file.withBytes { bytes in
            // The pages stay where they are for as long as this object, which the matrix keeps alive.
            bytes.baseAddress.map {
                StoredMatrix($0 + begin, type: entry.type, rows: rows.count, columns: columns, owner: self)
            }
        }
    }

    /// The values of an integer tensor (I64 or U8), in row-major order.
    package func integers(_ name: String) throws(CheckpointError) -> [Int64] {
        guard let entry = entries[name] else { throw missing(name) }
        guard entry.type == .i64 || entry.type == .u8 else {
            throw wrongType(name, entry.type, expected: "I64 or U8")
        }
        return file.withBytes { bytes in
            let end = entry.begin + entry.count * entry.type.size
            let data = UnsafeRawBufferPointer(rebasing: bytes[entry.begin..<end])
            return (0..<entry.count).map { index in
                entry.type == .u8
                    ? Int64(data[index])
                    : Int64(littleEndian: data.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
            }
        }
    }

    private func checked(_ name: String, shape: [Int]) throws(CheckpointError) {
        guard let entry = entries[name] else { throw missing(name) }
        guard entry.shape == shape else {
            throw CheckpointError(.wrongShape, file: path, tensor: name, expected: "\(shape)", found: "\(entry.shape)")
        }
    }

    private func missing(_ name: String) -> CheckpointError {
        let expected = "a tensor of this name"
        let found = "\(entries.count) other tensors"
        return CheckpointError(.missingTensor, file: path, tensor: name, expected: expected, found: found)
    }

    private func wrongType(_ name: String, _ type: ElementType, expected: String) -> CheckpointError {
        CheckpointError(.wrongType, file: path, tensor: name, expected: expected, found: type.rawValue)
    }
}
