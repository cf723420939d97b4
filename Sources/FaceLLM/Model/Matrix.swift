internal import COpenBLAS

/// Activations: one row a token, row-major, f32.
package struct Matrix: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    package var values: [Float]

    package init(rows: Int, columns: Int, values: [Float]) {
        precondition(values.count == rows * columns, "\(values.count) values for \(rows) x \(columns)")
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    package init(zeros rows: Int, _ columns: Int) {
        self.init(rows: rows, columns: columns, values: [Float](repeating: 0, count: rows * columns))
    }

    /// One row, [columns].
    package func row(_ index: Int) -> [Float] { Array(values[index * columns..<(index + 1) * columns]) }

    /// Rows `range`, [range.count, columns].
    package func rows(_ range: Range<Int>) -> Matrix {
        Matrix(
            rows: range.count,
            columns: columns,
            values: Array(values[range.lowerBound * columns..<range.upperBound * columns])
        )
    }

    /// Adds `other`, its columns multiplied by `scale` where there is one.
    mutating func add(_ other: Matrix, scale: [Float]? = nil) {
        precondition(
            rows == other.rows && columns == other.columns,
            "\(rows) x \(columns) plus \(other.rows) x \(other.columns)"
        )
        values.withUnsafeMutableBufferPointer { into in
            for row in 0..<rows {
                for column in 0..<columns {
                    let index = row * columns + column
                    into[index] += (scale?[column] ?? 1) * other.values[index]
                }
            }
        }
    }
}

/// A linear layer of a checkpoint: y = x · Wᵀ + b.
struct Linear: Sendable {
    /// [out, in], row-major, as stored.
    let weight: [Float]
    let bias: [Float]?
    let inputs: Int
    let outputs: Int

    init(_ source: some WeightSource, _ name: String, inputs: Int, outputs: Int, hasBias: Bool) throws(CheckpointError)
    {
        weight = try source.tensor(name + ".weight", shape: [outputs, inputs]).values
        bias = hasBias ? try source.tensor(name + ".bias", shape: [outputs]).values : nil
        self.inputs = inputs
        self.outputs = outputs
    }

    /// An embedding used as a head, or a convolution flattened.
    init(weight: [Float], bias: [Float]?, inputs: Int, outputs: Int) {
        precondition(weight.count == inputs * outputs, "\(weight.count) weights for \(outputs) x \(inputs)")
        self.weight = weight
        self.bias = bias
        self.inputs = inputs
        self.outputs = outputs
    }

    /// - Parameter x: [tokens, inputs].
    /// - Returns: [tokens, outputs].
    func callAsFunction(_ x: Matrix) -> Matrix {
        precondition(x.columns == inputs, "\(x.columns) columns into a layer of \(inputs)")
        var y = Matrix(zeros: x.rows, outputs)
        if let bias {
            for row in 0..<x.rows { y.values.replaceSubrange(row * outputs..<(row + 1) * outputs, with: bias) }
        }
        guard x.rows > 0 else { return y }
        cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasTrans,
            blasint(x.rows),
            blasint(outputs),
            blasint(inputs),
            1,
            x.values,
            blasint(inputs),
            weight,
            blasint(inputs),
            1,
            &y.values,
            blasint(outputs)
        )
        return y
    }
}
