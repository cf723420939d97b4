internal import Glibc

/// Rotary positions: the first half of each head is turned against the second, the further the later the token.
///
/// Tables grow to the largest position that was asked for, so that a token costs no sine.
final class Rotary {
    private let half: Int
    private let frequencies: [Float]
    private var cosines: [Float] = []
    private var sines: [Float] = []

    init(headDim: Int, base: Double) {
        half = headDim / 2
        // In single precision, as the reference has its frequencies and angles.
        frequencies = (0..<headDim / 2).map { Float(1 / pow(base, Double(2 * $0) / Double(headDim))) }
    }

    /// Makes the tables for positions up to `positions`, so that writing them allocates nothing.
    func prepare(positions: Int) {
        if positions > cosines.count / max(1, half) { grow(to: (positions + 255) / 256 * 256) }
    }

    /// Copies the rows of `rows` positions from `first` on: cosines, then sines, each [rows, headDim / 2].
    func write(from first: Int, rows: Int, to target: UnsafeMutablePointer<Float>) {
        for row in 0..<rows { write(position: first + row, row: row, of: rows, to: target) }
    }

    /// Copies one row of them.
    func write(position: Int, row: Int, of rows: Int, to target: UnsafeMutablePointer<Float>) {
        prepare(positions: position + 1)
        for index in 0..<half {
            target[row * half + index] = cosines[position * half + index]
            target[(rows + row) * half + index] = sines[position * half + index]
        }
    }

    private func grow(to positions: Int) {
        for position in cosines.count / max(1, half)..<max(positions, cosines.count / max(1, half)) {
            for frequency in frequencies {
                let angle = Double(Float(position) * frequency)
                cosines.append(Float(cos(angle)))
                sines.append(Float(sin(angle)))
            }
        }
    }
}
