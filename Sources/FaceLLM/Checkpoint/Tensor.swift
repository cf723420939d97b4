/// Numbers in a rectangular arrangement: row-major, float32, the last index fastest.
package struct Tensor: Sendable, Equatable {
    /// The length of each axis; empty for a single number.
    package let shape: [Int]
    /// `shape` multiplied out, that many values.
    package var values: [Float]

    /// - Precondition: the axes multiply to the number of values.
    package init(shape: [Int], values: [Float]) {
        precondition(
            Self.count(of: shape) == values.count,
            "a tensor of shape \(shape) was given \(values.count) values"
        )
        self.shape = shape
        self.values = values
    }

    /// A matrix or a vector of a checkpoint has as many rows as its first axis is long; the others make one row.
    package var rows: Int { shape.first ?? 1 }

    /// The number of values in one row, that is in everything but the first axis.
    package var columns: Int { rows == 0 ? 0 : values.count / rows }

    /// One value.
    ///
    /// - Precondition: one index for each axis, each within it.
    package subscript(_ indices: Int...) -> Float {
        precondition(indices.count == shape.count, "\(indices.count) indices into a tensor of shape \(shape)")
        var offset = 0
        for (index, length) in zip(indices, shape) {
            precondition(index >= 0 && index < length, "index \(indices) is outside the shape \(shape)")
            offset = offset * length + index
        }
        return values[offset]
    }

    /// One row, [columns].
    ///
    /// - Precondition: `0 <= index < rows`.
    package func row(_ index: Int) -> ArraySlice<Float> {
        precondition(index >= 0 && index < rows, "row \(index) of a tensor of shape \(shape)")
        return values[index * columns..<(index + 1) * columns]
    }

    /// The number of values in a shape; `nil` for a negative length or a product beyond `Int`.
    static func count(of shape: [Int]) -> Int? {
        guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
        // A zero anywhere makes the tensor empty, however large the other lengths are.
        guard !shape.contains(0) else { return 0 }
        var count = 1
        for length in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }
}

/// Where weights come from: a file, several shards, a file under other names, or any of these with adapters merged.
package protocol WeightSource: Sendable {
    /// The names of all tensors.
    var names: Set<String> { get }

    /// The shape of a tensor, without reading it; `nil` where there is none of that name.
    func shape(of name: String) -> [Int]?

    /// Reads a tensor and converts it to float32. Each call reads and converts anew.
    ///
    /// - Parameter shape: what the caller is going to compute with.
    /// - Throws: `CheckpointError` where there is no such tensor, or it has another shape or no floating-point values.
    func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> Tensor

    /// A matrix where it lies, without reading it; `nil` where its values have to be computed first.
    ///
    /// - Parameter shape: what the caller is going to compute with; the first axis are the rows.
    /// - Throws: as `tensor`.
    func storedMatrix(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredMatrix?
}
