import CKernels
import CKernels.Testing

/// Numbers from a seed, the same on every run.
struct Noise {
    private var state: UInt64

    init(seed: Int) {
        state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func bits() -> UInt32 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt32(truncatingIfNeeded: state >> 33)
    }

    /// Uniform in -1 ..< 1.
    mutating func value() -> Float {
        Float(Int32(truncatingIfNeeded: bits() & 0xff_ffff)) / Float(1 << 23) - 1
    }

    mutating func values(_ count: Int, scale: Float = 1) -> [Float] {
        (0..<count).map { _ in value() * scale }
    }
}

/// A thread pool that a test owns.
final class Pool {
    let pointer: OpaquePointer

    /// This processor lacks the vector unit.
    struct Unavailable: Error {
        let unit: String
    }

    init(threads: Int, unit: String) throws {
        guard let pointer = ck_pool_create_isa(Int32(threads), unit) else { throw Unavailable(unit: unit) }
        self.pointer = pointer
    }

    deinit {
        ck_pool_destroy(pointer)
    }
}

/// The vector units of this processor, the plain one included.
let vectorUnits: [String] = [
    "avx512bf16", "avx512vnni", "avx512", "avxvnni", "avx2", "neon-i8mm", "neon-dotprod", "neon", "portable",
].filter {
    (try? Pool(threads: 1, unit: $0)) != nil
}

/// Largest |a - b| in units of `tolerance` · max(1, |b|, the root of the mean of b's squares).
///
/// NaN and infinities have to be equal.
func distance(_ a: [Float], _ b: [Float], tolerance: Float) -> Float {
    guard a.count == b.count else { return .infinity }
    let finite = b.filter(\.isFinite)
    let level = (finite.reduce(0) { $0 + $1 * $1 } / Float(max(1, finite.count))).squareRoot()
    var worst: Float = 0
    for (x, y) in zip(a, b) {
        if x == y || (x.isNaN && y.isNaN) { continue }
        let difference = abs(x - y) / (tolerance * max(1, abs(y), level))
        worst = difference.isNaN ? .infinity : max(worst, difference)
    }
    return worst
}

/// `values` as bytes of the storage type, cut off rather than rounded, after `padding` bytes of something else.
func stored(_ values: [Float], as type: ck_type, padding: Int) -> [UInt8] {
    let bytes =
        switch type {
        case CK_BF16: values.map { UInt16($0.bitPattern >> 16) }.withUnsafeBytes { Array($0) }
        case CK_F16: values.map(half).withUnsafeBytes { Array($0) }
        default: values.withUnsafeBytes { Array($0) }
        }
    return [UInt8](repeating: 0xff, count: padding) + bytes
}

/// A normal half-precision number near `value`, 0 for what is too small.
private func half(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let exponent = Int(value.exponentBitPattern) - 127 + 15
    guard exponent > 0, exponent < 31 else { return sign }
    return sign | UInt16(exponent << 10) | UInt16(truncatingIfNeeded: value.significandBitPattern >> 13)
}
