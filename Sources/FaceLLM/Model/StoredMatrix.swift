internal import CKernels
internal import Glibc

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

    /// Tells the system that the pages may go: they are read from the file again if they are needed.
    func forgetPages() {
        // Memory of our own would be lost.
        guard owner is SafetensorsFile else { return }
        let page = UInt(getpagesize())
        let start = (UInt(bitPattern: pointer) + page - 1) / page * page
        let end = (UInt(bitPattern: pointer) + UInt(byteCount)) / page * page
        guard end > start, let address = UnsafeMutableRawPointer(bitPattern: start) else { return }
        madvise(address, Int(end - start), MADV_DONTNEED)
    }

    /// The same in half the memory, to nearest and ties to even.
    func roundedToBFloat16() -> StoredMatrix {
        let values = BFloat16Vector(count: rows * columns)
        for index in 0..<rows * columns {
            let bits = pointer.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)
            let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
            let rounded = isNaN ? bits | 0x40_0000 : bits &+ 0x7FFF &+ (bits >> 16 & 1)
            values.pointer[index] = UInt16(truncatingIfNeeded: rounded >> 16)
        }
        return StoredMatrix(values.pointer, type: .bf16, rows: rows, columns: columns, owner: values)
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

/// Weights that were rounded.
private final class BFloat16Vector {
    let pointer: UnsafeMutablePointer<UInt16>

    init(count: Int) {
        pointer = .allocate(capacity: max(1, count))
    }

    deinit { pointer.deallocate() }
}
