import Testing

@testable import FaceLLM

@Suite("Safetensors files") struct CheckpointSafetensorsTests {
    private func refused(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws -> CheckpointError
    {
        let folder = try CheckpointFolder()
        try folder.write(bytes, to: "x.safetensors")
        let path = folder.file("x.safetensors")
        let error = checkpointError({ _ = try SafetensorsFile(path: path) }, sourceLocation: sourceLocation)
        let found = try #require(error, sourceLocation: sourceLocation)
        #expect(found.file == path, sourceLocation: sourceLocation)
        return found
    }

    private func refused(
        _ entries: String...,
        data: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> CheckpointError {
        let header = "{\(entries.joined(separator: ","))}"
        let bytes = SafetensorsWriter.file(header: header, data: [UInt8](repeating: 0, count: data))
        return try refused(bytes, sourceLocation: sourceLocation)
    }

    private typealias Writer = SafetensorsWriter

    @Test func readsAllTypesOfWeights() throws {
        let folder = try CheckpointFolder()
        let values: [Float] = [0, -0.0, 1, -2.5, 0.333251953125, 65504]
        let items = [
            Writer.Item("f32", Tensor(shape: [2, 3], values: values)),
            Writer.Item(
                "bf16",
                type: "BF16",
                shape: [2],
                data: [1, -2.5].flatMap { Writer.bytes(UInt16(Float($0).bitPattern >> 16)) }
            ),
            Writer.Item(
                "f16",
                type: "F16",
                shape: [1, 2],
                data: [0x3C00, 0xC100].flatMap { Writer.bytes(UInt16($0)) }
            ),
            Writer.Item("i64", type: "I64", shape: [2], data: [7, -9].flatMap { Writer.bytes(Int64($0)) }),
            Writer.Item("u8", type: "U8", shape: [3], data: [1, 2, 255]),
            Writer.Item("empty", shape: [0, 1 << 40, 1 << 40], data: []),
            Writer.Item("single", Tensor(shape: [], values: [4])),
        ]
        // "u8" leaves "single" at an odd address.
        try folder.write(Writer.file(items), to: "x.safetensors")
        let file = try SafetensorsFile(path: folder.file("x.safetensors"))
        #expect(file.names == Set(items.map(\.name)))
        #expect(try file.tensor("f32", shape: [2, 3]).values == values)
        #expect(try file.tensor("f32", rows: 1..<2).values == Array(values[3...]))
        #expect(try file.tensor("bf16", shape: [2]).values == [1, -2.5])
        #expect(try file.tensor("f16", shape: [1, 2]).values == [1, -2.5])
        #expect(try file.tensor("i64", shape: [2]).values == [7, -9])
        #expect(try file.integers("i64") == [7, -9])
        #expect(try file.integers("u8") == [1, 2, 255])
        #expect(try file.tensor("empty", shape: [0, 1 << 40, 1 << 40]).values.isEmpty)
        #expect(try file.tensor("single", shape: []).values == [4])

        #expect(checkpointError { _ = try file.tensor("f32", shape: [3, 2]) }?.kind == .wrongShape)
        #expect(checkpointError { _ = try file.tensor("none", shape: [1]) }?.kind == .missingTensor)
        #expect(checkpointError { _ = try file.tensor("u8", shape: [3]) }?.kind == .wrongType)
        #expect(checkpointError { _ = try file.integers("f32") }?.kind == .wrongType)
    }

    /// Against the processor's own conversion, all 65,536 of them.
    @Test func halfPrecisionIsExact() {
        for bits in UInt16.min...UInt16.max {
            let ours = ElementType.float16(bits)
            let exact = exactHalf(bits)
            #expect(ours.bitPattern == exact.bitPattern || (ours.isNaN && exact.isNaN), "\(bits)")
        }
    }

    private func exactHalf(_ bits: UInt16) -> Float {
        let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
        let sign: Double = bits >> 15 == 1 ? -1 : 1
        switch exponent {
        case 31: return fraction == 0 ? Float(sign * .infinity) : .nan
        case 0: return Float(sign * fraction * Double(sign: .plus, exponent: -24, significand: 1))
        default:
            return Float(sign * (1 + fraction / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1))
        }
    }

    @Test func truncatedAnywhere() throws {
        let whole = Writer.file([
            .init("a", Tensor(shape: [2], values: [1, 2])), .init("b", Tensor(shape: [1], values: [3])),
        ])
        for length in 0..<whole.count {
            let error = try refused(Array(whole[..<length]))
            #expect(error.kind == .truncated, "\(length) of \(whole.count) bytes: \(error)")
        }
        #expect(try refused(whole + [0]).kind == .malformed)
        // Truncated data names the tensor that is cut.
        #expect(try refused(Array(whole.dropLast(5))).tensor == "a")
        #expect(try refused(Array(whole.dropLast(1))).tensor == "b")
    }

    @Test func headerLength() throws {
        #expect(try refused(Writer.bytes(UInt64.max) + [UInt8](repeating: 32, count: 64)).kind == .malformed)
        #expect(try refused(Writer.bytes(UInt64(1) << 63) + [1]).kind == .malformed)
        #expect(try refused(Writer.bytes(UInt64(100_000_001)) + [1]).kind == .malformed)
        #expect(try refused(Writer.bytes(UInt64(0))).kind == .malformed)
    }

    @Test(arguments: [
        "{", "{}x", " {}", "[]", "{\"a\":1}", "{\"a\":{\"dtype\":\"F32\"}}", "{\"__metadata__\":1}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551616]}}",
        "{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}", "\u{FEFF}{}",
    ])
    func headerIsNotWhatTheFormatSays(_ header: String) throws {
        let error = try refused(Writer.file(header: header, data: [0, 0, 0, 0]))
        #expect(error.kind == .malformed, "\(error)")
    }

    @Test func deepNesting() throws {
        let depth = 100_000
        let header = "{\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        #expect(try refused(Writer.file(header: header, data: [])).kind == .malformed)
        let folder = try CheckpointFolder()
        for depth in [400, 510, 600, 100_000] {
            let text = "{\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
            try folder.write(text, to: "config.json")
            #expect(checkpointError { _ = try ModelConfiguration(path: folder.file("config.json")) } != nil)
        }
    }

    @Test func offsets() throws {
        let first = Writer.entry("a", shape: [2], 0, 8)
        #expect(try refused(first, Writer.entry("b", shape: [2], 4, 12), data: 12).found.contains("overlap"))
        #expect(try refused(first, Writer.entry("b", shape: [2], 0, 8), data: 8).found.contains("overlap"))
        #expect(try refused(first, Writer.entry("b", shape: [2], 12, 20), data: 20).found.contains("hole"))
        #expect(try refused(Writer.entry("b", shape: [2], 4, 12), data: 12).found.contains("hole"))
        #expect(try refused(first, data: 12).kind == .malformed)
        #expect(try refused(Writer.entry("a", shape: [2], -8, 0), data: 0).kind == .malformed)
        #expect(try refused(Writer.entry("a", shape: [2], 0, -8), data: 8).kind == .wrongShape)
        #expect(try refused(Writer.entry("a", shape: [2], 8, 0), data: 8).kind == .malformed)
        #expect(try refused(Writer.entry("a", shape: [3], 0, 8), data: 8).kind == .wrongShape)
        #expect(try refused(Writer.entry("a", type: "F16", shape: [2], 0, 8), data: 8).kind == .wrongShape)
        #expect(try refused(Writer.entry("a", shape: [2], 0, .max), data: 8).kind == .wrongShape)
        #expect(try refused(Writer.entry("a", type: "U8", shape: [.max], 0, .max), data: 8).kind == .truncated)
    }

    @Test func shapesThatOverflow() throws {
        for shape in [[Int.max, 2], [1 << 32, 1 << 32], [.max], [-1], [-1, -8], [0, -1], [1 << 62]] {
            let error = try refused(Writer.entry("a", shape: shape, 0, 8), data: 8)
            #expect(error.kind == .malformed && error.tensor == "a", "\(error)")
        }
    }

    @Test func unknownType() throws {
        let error = try refused(Writer.entry("a", type: "F4", shape: [2], 0, 1), data: 1)
        #expect(error.kind == .wrongType && error.tensor == "a" && error.found == "\"F4\"")
    }

    @Test func duplicateNamesLeaveAHole() throws {
        let error = try refused(Writer.entry("a", shape: [2], 0, 8), Writer.entry("a", shape: [2], 8, 16), data: 16)
        #expect(error.kind == .malformed)
    }

    @Test func notAFile() throws {
        let folder = try CheckpointFolder()
        #expect(checkpointError { _ = try SafetensorsFile(path: folder.path) }?.kind == .unreadable)
        let absent = checkpointError { _ = try SafetensorsFile(path: folder.file("none")) }
        #expect(absent?.kind == .unreadable && absent?.code == 2)
        #expect(checkpointError { _ = try SafetensorsFile(path: "/dev/zero") }?.kind == .unreadable)
    }

    @Test func namesFromFilesArePrintable() {
        let error = CheckpointError(
            .malformed,
            file: "f",
            tensor: "a\u{1B}[2J\n\(String(repeating: "x", count: 500))",
            expected: "e",
            found: "g"
        )
        #expect(!error.description.contains("\u{1B}") && !error.description.contains("\n"))
        #expect(error.description.count < 250)
    }
}
