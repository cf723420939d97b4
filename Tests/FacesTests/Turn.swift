import Faces
import Glibc
import TestSupport

/// Rotations made by Rodrigues' formula, independently of the code under test.
enum Turn {
    enum Axis: CaseIterable {
        case x, y, z
    }

    /// By the right-hand rule in the template's frame (x right, y down, z away).
    static func about(_ axis: Axis, degrees: Float) -> Rotation {
        let k: (Float, Float, Float) =
            switch axis {
            case .x: (1, 0, 0)
            case .y: (0, 1, 0)
            case .z: (0, 0, 1)
            }
        return about(k, degrees: degrees)
    }

    static func about(_ k: (Float, Float, Float), degrees: Float) -> Rotation {
        let angle = degrees * .pi / 180
        let c = cosf(angle), s = sinf(angle), t = 1 - c
        return Rotation(rows: [
            c + k.0 * k.0 * t, k.0 * k.1 * t - k.2 * s, k.0 * k.2 * t + k.1 * s,
            k.1 * k.0 * t + k.2 * s, c + k.1 * k.1 * t, k.1 * k.2 * t - k.0 * s,
            k.2 * k.0 * t - k.1 * s, k.2 * k.1 * t + k.0 * s, c + k.2 * k.2 * t,
        ])
    }

    static func product(_ a: Rotation, _ b: Rotation) -> Rotation {
        Rotation(
            rows: (0..<9).map { index in
                let row = index / 3, column = index % 3
                return (0..<3).reduce(Float(0)) { $0 + a.rows[3 * row + $1] * b.rows[3 * $1 + column] }
            }
        )
    }

    static func random(_ generator: inout SeededGenerator) -> Rotation {
        let k = (generator.float(-1...1), generator.float(-1...1), generator.float(0.1...1))
        let norm = (k.0 * k.0 + k.1 * k.1 + k.2 * k.2).squareRoot()
        return about((k.0 / norm, k.1 / norm, k.2 / norm), degrees: generator.float(-180...180))
    }

    /// A head that turns by `yaw` to the right edge of the image, looks up by `pitch`, and is rolled clockwise about
    /// its nose by `roll`.
    static func head(yaw: Float, pitch: Float, roll: Float) -> Rotation {
        product(about(.y, degrees: -yaw), product(about(.x, degrees: -pitch), about(.z, degrees: roll)))
    }
}
