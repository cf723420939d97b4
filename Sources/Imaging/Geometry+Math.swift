internal import Glibc

/// Trigonometry in single precision, from the C library alone.
package enum Geometry {
    package static func cos(_ x: Float) -> Float { cosf(x) }
    package static func sin(_ x: Float) -> Float { sinf(x) }
    package static func atan2(_ y: Float, _ x: Float) -> Float { atan2f(y, x) }
    package static func asin(_ x: Float) -> Float { asinf(max(-1, min(1, x))) }
    package static func acos(_ x: Float) -> Float { acosf(max(-1, min(1, x))) }
    package static func exp(_ x: Float) -> Float { expf(x) }
    package static func log(_ x: Float) -> Float { logf(x) }
    package static func degrees(_ radians: Float) -> Float { radians * 57.295_78 }
    package static func radians(_ degrees: Float) -> Float { degrees / 57.295_78 }
    /// The same angle in −π…π.
    package static func wrapped(_ radians: Float) -> Float { remainderf(radians, 2 * .pi) }
}
