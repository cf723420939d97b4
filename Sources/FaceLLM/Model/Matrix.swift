/// Activations that leave a model: one row a token, row-major, f32.
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

    /// A copy of computed values, [rows, columns].
    init(rows: Int, columns: Int, copying pointer: UnsafePointer<Float>) {
        self.init(
            rows: rows,
            columns: columns,
            values: Array(UnsafeBufferPointer(start: pointer, count: rows * columns))
        )
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
}
