import Foundation
import Testing

/// The tensors of a trusted .safetensors file; for recorded results only, it believes what the file says.
struct ImageGoldenTensors {
    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    private let entries: [String: Entry]
    private let payload: Data

    /// Eight bytes of header length, little-endian; the header in JSON; the tensors.
    init(_ data: Data) throws {
        try #require(data.count > 8)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        try #require(length <= data.count - 8)
        let header = data.dropFirst(8).prefix(length)
        struct AnyEntries: Decodable {
            let entries: [String: Entry]

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Name.self)
                var entries: [String: Entry] = [:]
                for key in container.allKeys where key.stringValue != "__metadata__" {
                    entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
                }
                self.entries = entries
            }
        }
        entries = try JSONDecoder().decode(AnyEntries.self, from: Data(header)).entries
        payload = Data(data.dropFirst(8 + length))
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func shape(_ name: String) throws -> [Int] { try #require(entries[name], "no tensor \(name)").shape }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try slice(name, dtype: "U8")) }

    func floats(_ name: String) throws -> [Float] {
        let data = try slice(name, dtype: "F32")
        return data.withUnsafeBytes { raw in
            (0..<raw.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
    }

    private func slice(_ name: String, dtype: String) throws -> Data {
        let entry = try #require(entries[name], "no tensor \(name)")
        try #require(entry.dtype == dtype && entry.offsets.count == 2 && entry.offsets[1] <= payload.count)
        return Data(payload[entry.offsets[0]..<entry.offsets[1]])
    }
}
