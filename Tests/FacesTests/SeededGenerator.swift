import TestSupport

extension SeededGenerator {
    mutating func float(_ range: ClosedRange<Float>) -> Float { .random(in: range, using: &self) }
}
