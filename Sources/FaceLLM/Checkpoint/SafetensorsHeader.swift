import FoundationEssentials

/// The header of a safetensors file: from untrusted bytes to entries that are known to lie within the file.
struct SafetensorsHeader {
    let path: String
    /// Bytes of the whole file.
    let fileSize: Int

    /// The reference implementation accepts no longer header, in bytes.
    static let maximumLength = 100_000_000

    private static let refetch = "Fetch the file again and compare its checksum."

    /// Reads and checks the header.
    ///
    /// - Parameter bytes: the file, `fileSize` bytes.
    func entries(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) -> [String: SafetensorsFile.Entry] {
        guard fileSize >= 8 else {
            throw truncated(expected: "8 bytes of header length", found: "\(fileSize) bytes")
        }
        let announced = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard announced <= UInt64(Self.maximumLength) else {
            let expected = "a header of at most \(Self.maximumLength) bytes"
            throw malformed(expected: expected, found: "\(announced) announced")
        }
        let length = Int(announced)
        guard length <= fileSize - 8 else {
            throw truncated(expected: "a header of \(length) bytes", found: "\(fileSize - 8) bytes after its length")
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + length])
        guard text.first == UInt8(ascii: "{") else {
            throw malformed(expected: "a header that starts with {", found: "another byte")
        }
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(text))
        } catch {
            throw malformed(
                expected: "a JSON header with dtype, shape and data_offsets for each tensor",
                found: JSONValue.explain(error)
            )
        }
        return try laidOut(header.tensors, dataBegin: 8 + length)
    }

    /// Turns offsets into positions in the file, in the order of the data.
    private func laidOut(
        _ tensors: [String: Description],
        dataBegin: Int
    ) throws(CheckpointError) -> [String: SafetensorsFile.Entry] {
        // Equal offsets belong to empty tensors, which may share a place; the name makes the order the same each time.
        let ordered = tensors.sorted { ($0.value.begin, $0.value.end, $0.key) < ($1.value.begin, $1.value.end, $1.key) }
        var entries: [String: SafetensorsFile.Entry] = [:]
        entries.reserveCapacity(ordered.count)
        var end = 0
        for (name, tensor) in ordered {
            guard let type = ElementType(rawValue: tensor.type) else {
                throw CheckpointError(
                    .wrongType,
                    file: path,
                    tensor: name,
                    expected: "one of \(ElementType.allCases.map(\.rawValue).joined(separator: ", "))",
                    found: "\"\(CheckpointError.printable(tensor.type))\""
                )
            }
            guard let count = Tensor.count(of: tensor.shape),
                case let (size, overflow) = count.multipliedReportingOverflow(by: type.size), !overflow
            else {
                throw malformed(name, expected: "lengths whose product is a number of bytes", found: "\(tensor.shape)")
            }
            guard tensor.begin == end else {
                let fault = tensor.begin < end ? "an overlap" : "a hole"
                throw malformed(name, expected: "data from byte \(end)", found: "\(fault): data from \(tensor.begin)")
            }
            // begin == end of the one before >= 0 here, so the subtraction cannot overflow.
            guard tensor.end >= tensor.begin, tensor.end - tensor.begin == size else {
                throw CheckpointError(
                    .wrongShape,
                    file: path,
                    tensor: name,
                    expected: "\(size) bytes for shape \(tensor.shape) of \(type.rawValue)",
                    found: "data_offsets [\(tensor.begin), \(tensor.end)]",
                    remedy: Self.refetch
                )
            }
            guard tensor.end <= fileSize - dataBegin else {
                throw truncated(
                    name,
                    expected: "data up to byte \(tensor.end) after the header",
                    found: "\(fileSize - dataBegin) bytes"
                )
            }
            entries[name] = .init(type: type, shape: tensor.shape, begin: dataBegin + tensor.begin, count: count)
            end = tensor.end
        }
        guard end == fileSize - dataBegin else {
            throw malformed(expected: "\(end) bytes of data", found: "\(fileSize - dataBegin) bytes")
        }
        return entries
    }

    private func malformed(_ tensor: String? = nil, expected: String, found: String) -> CheckpointError {
        let remedy = Self.refetch
        return CheckpointError(.malformed, file: path, tensor: tensor, expected: expected, found: found, remedy: remedy)
    }

    private func truncated(_ tensor: String? = nil, expected: String, found: String) -> CheckpointError {
        let remedy = Self.refetch
        return CheckpointError(.truncated, file: path, tensor: tensor, expected: expected, found: found, remedy: remedy)
    }

    // MARK: - JSON

    private struct Header: Decodable {
        var tensors: [String: Description] = [:]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: AnyKey.self)
            for key in container.allKeys {
                if key.stringValue == "__metadata__" {
                    _ = try container.decode([String: String].self, forKey: key)
                } else {
                    tensors[key.stringValue] = try container.decode(Description.self, forKey: key)
                }
            }
        }
    }

    private struct Description: Decodable {
        let type: String
        let shape: [Int]
        let begin: Int
        let end: Int

        enum CodingKeys: String, CodingKey { case type = "dtype", shape, offsets = "data_offsets" }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try container.decode(String.self, forKey: .type)
            shape = try container.decode([Int].self, forKey: .shape)
            let offsets = try container.decode([Int].self, forKey: .offsets)
            guard offsets.count == 2 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .offsets,
                    in: container,
                    debugDescription: "two offsets are needed, not \(offsets.count)"
                )
            }
            (begin, end) = (offsets[0], offsets[1])
        }
    }
}
