internal import CKernels

/// A quantised matrix in the order in which the kernels read it.
struct PackedMatrix {
    /// `CKernels`' layout for this kind; 64-byte aligned.
    let pointer: UnsafeRawPointer
    let quant: ck_quant
    let rows: Int
    let columns: Int
    /// Keeps the memory alive.
    private let owner: AnyObject

    init(_ pointer: UnsafeRawPointer, quant: ck_quant, rows: Int, columns: Int, owner: AnyObject) {
        self.pointer = pointer
        self.quant = quant
        self.rows = rows
        self.columns = columns
        self.owner = owner
    }

    var byteCount: Int { Self.byteCount(quant, rows: rows, columns: columns) }

    static func byteCount(_ quant: ck_quant, rows: Int, columns: Int) -> Int {
        Int(ck_packed_size(quant, rows, columns))
    }
}

/// The weights of a layer, as stored or quantised.
enum LayerWeights {
    case stored(StoredMatrix)
    case packed(PackedMatrix)

    var inputs: Int {
        switch self {
        case .stored(let matrix): matrix.columns
        case .packed(let matrix): matrix.columns
        }
    }

    var outputs: Int {
        switch self {
        case .stored(let matrix): matrix.rows
        case .packed(let matrix): matrix.rows
        }
    }

    /// What one pass over them reads.
    var byteCount: Int {
        switch self {
        case .stored(let matrix): matrix.byteCount
        case .packed(let matrix): matrix.byteCount
        }
    }
}
