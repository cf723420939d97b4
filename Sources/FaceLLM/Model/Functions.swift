internal import Glibc

/// What surrounds the matrix products, as the reference computes it: f32, no approximation.
enum Functions {
    /// LayerNorm over each row: (x − mean) / √(variance + eps) · weight + bias.
    static func layerNorm(_ x: Matrix, weight: [Float], bias: [Float], eps: Float) -> Matrix {
        var y = x
        for row in 0..<x.rows {
            let start = row * x.columns
            var mean: Float = 0
            for column in 0..<x.columns { mean += x.values[start + column] }
            mean /= Float(x.columns)
            var variance: Float = 0
            for column in 0..<x.columns {
                let d = x.values[start + column] - mean
                variance += d * d
            }
            let scale = 1 / (variance / Float(x.columns) + eps).squareRoot()
            for column in 0..<x.columns {
                y.values[start + column] = (x.values[start + column] - mean) * scale * weight[column] + bias[column]
            }
        }
        return y
    }

    /// RMSNorm over each row: x / √(mean of squares + eps) · weight.
    static func rmsNorm(_ x: Matrix, weight: [Float], eps: Float) -> Matrix {
        var y = x
        for row in 0..<x.rows {
            let start = row * x.columns
            var squares: Float = 0
            for column in 0..<x.columns { squares += x.values[start + column] * x.values[start + column] }
            let scale = 1 / (squares / Float(x.columns) + eps).squareRoot()
            for column in 0..<x.columns { y.values[start + column] = x.values[start + column] * scale * weight[column] }
        }
        return y
    }

    /// GELU with the error function, not the tanh approximation.
    static func gelu(_ x: inout Matrix) {
        for index in x.values.indices {
            let v = x.values[index]
            x.values[index] = 0.5 * v * (1 + erff(v * 0.707_106_77))
        }
    }

    /// silu(gate) · up, in place of `gate`.
    static func swiGLU(_ gate: inout Matrix, _ up: Matrix) {
        for index in gate.values.indices {
            let v = gate.values[index]
            gate.values[index] = v / (1 + expf(-v)) * up.values[index]
        }
    }

    /// Softmax of `count` values from `start` on, in place.
    static func softmax(_ values: inout [Float], from start: Int, count: Int) {
        var highest = -Float.infinity
        for index in start..<start + count { highest = max(highest, values[index]) }
        var sum: Float = 0
        for index in start..<start + count {
            values[index] = expf(values[index] - highest)
            sum += values[index]
        }
        for index in start..<start + count { values[index] /= sum }
    }

    static func cosine(_ x: Double) -> Double { cos(x) }
    static func sine(_ x: Double) -> Double { sin(x) }
    static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
}
