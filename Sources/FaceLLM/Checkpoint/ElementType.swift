/// The element types of the safetensors format that are as long as whole bytes.
package enum ElementType: String, Sendable, Hashable, CaseIterable {
    case bool = "BOOL"
    case u8 = "U8"
    case i8 = "I8"
    case f8e5m2 = "F8_E5M2"
    case f8e4m3 = "F8_E4M3"
    case i16 = "I16"
    case u16 = "U16"
    case f16 = "F16"
    case bf16 = "BF16"
    case i32 = "I32"
    case u32 = "U32"
    case f32 = "F32"
    case f64 = "F64"
    case i64 = "I64"
    case u64 = "U64"

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .bool, .u8, .i8, .f8e5m2, .f8e4m3: 1
        case .i16, .u16, .f16, .bf16: 2
        case .i32, .u32, .f32: 4
        case .f64, .i64, .u64: 8
        }
    }

    /// Whether weights of a model may have this type.
    var isWeight: Bool { self == .f32 || self == .bf16 || self == .f16 }

    /// Whether `floats` can read it: the weights' types, and I64 for the token ids of test data.
    var isReadable: Bool { isWeight || self == .i64 }

    /// Converts little-endian elements, which need not be aligned, to float32.
    ///
    /// F32, BF16 and F16 are exact; I64 is exact up to 2^24 and rounds beyond.
    ///
    /// - Precondition: the type is readable, and the data is a whole number of elements.
    func floats(_ data: UnsafeRawBufferPointer) -> [Float] {
        precondition(isReadable && data.count % size == 0, "\(data.count) bytes of \(rawValue)")
        let count = data.count / size
        return [Float](unsafeUninitializedCapacity: count) { output, initialized in
            initialized = count
            guard count > 0, let output = output.baseAddress else { return }
            switch self {
            case .f32:
                for index in 0..<count {
                    let bits = data.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)
                    (output + index).initialize(to: Float(bitPattern: UInt32(littleEndian: bits)))
                }
            case .bf16:
                for index in 0..<count {
                    let bits = data.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
                    (output + index).initialize(to: Self.bfloat16(UInt16(littleEndian: bits)))
                }
            case .f16:
                for index in 0..<count {
                    let bits = data.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
                    (output + index).initialize(to: Self.float16(UInt16(littleEndian: bits)))
                }
            default:
                for index in 0..<count {
                    let bits = data.loadUnaligned(fromByteOffset: index &* 8, as: Int64.self)
                    (output + index).initialize(to: Float(Int64(littleEndian: bits)))
                }
            }
        }
    }

    /// A bfloat16 is the upper half of a float32.
    static func bfloat16(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    /// IEEE 754 binary16 without a branch or a library call, so that the loop above is vectorised.
    ///
    /// The exponent moves into place by a multiplication by 2^112, which also normalises subnormal numbers.
    static func float16(_ bits: UInt16) -> Float {
        let magnitude = Float(bitPattern: UInt32(bits & 0x7FFF) << 13) * Float(bitPattern: 0x7780_0000)
        // Infinity and NaN come out at 2^16 and above, where no finite number does.
        let special: UInt32 = magnitude >= 65536 ? 0x7F80_0000 : 0
        return Float(bitPattern: magnitude.bitPattern | special | UInt32(bits & 0x8000) << 16)
    }
}
