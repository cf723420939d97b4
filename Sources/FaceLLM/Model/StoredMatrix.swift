internal import CKernels

/// A matrix of weights where it lies: in a mapped file, in the file's own element type, or in memory of its own.
package struct StoredMatrix {
    /// [rows, columns], row-major; of any alignment.
    let pointer: UnsafeRawPointer
    package let type: ElementType
    package let rows: Int
    package let columns: Int
    /// Keeps the memory alive.
    private let owner: AnyObject

    /// - Parameters:
    ///   - pointer: `rows * columns` elements that stay as long as `owner`.
    ///   - type: f32, bf16 or f16.
    init(_ pointer: UnsafeRawPointer, type: ElementType, rows: Int, columns: Int, owner: AnyObject) {
        self.pointer = pointer
        self.type = type
        self.rows = rows
        self.columns = columns
        self.owner = owner
    }

    /// Weights that were computed, as where an adapter was merged.
    init(_ tensor: Tensor) {
        let values = FloatVector(tensor.values)
        self.init(values.pointer, type: .f32, rows: tensor.rows, columns: tensor.columns, owner: values)
    }

    package var byteCount: Int { rows * columns * type.size }

    var kernelType: ck_type {
        switch type {
        case .bf16: CK_BF16
        case .f16: CK_F16
        default: CK_F32
        }
    }

    /// One row, widened to f32.
    func copyRow(_ row: Int, to target: UnsafeMutablePointer<Float>) {
        precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
        ck_widen(target, pointer + row * columns * type.size, kernelType, columns)
    }
}

extension WeightSource {
    /// A matrix as it is stored, without reading it where the source can do that.
    ///
    /// - Parameter shape: what the caller is going to compute with; the first axis are the rows.
    package func matrix(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredMatrix {
        if let stored = try storedMatrix(name, shape: shape) { return stored }
        return StoredMatrix(try tensor(name, shape: shape))
    }
}
