internal import CImaging
internal import CKernels
internal import Foundation

/// Quantised weights of one model in a file: made once, mapped from then on.
///
/// The file: 8 bytes "FLLMPACK"; the length of the table, 8 bytes little-endian; the table, JSON; zeros up to a multiple
/// of 4096; then the matrices in `CKernels`' layouts, each at a multiple of 64. The table has the key that the file was
/// made for and a checksum of the matrices, and is written last: a file that is not whole, not for this key or damaged
/// is made again. Files are written under another name and renamed, so that two processes do not disturb one another; a
/// process holds a lock on the file that it writes, so that what a killed one left behind is known and removed.
package final class PackedWeights {
    /// Raised when a layout of `CKernels` or the way of quantising changes.
    private static let version = 2
    private static let magic = Array("FLLMPACK".utf8)
    private static let page = 4096

    private struct Entry: Codable, Hashable {
        let name: String
        let quant: UInt32
        let rows: Int
        let columns: Int
        /// From the beginning of the matrices.
        let offset: Int
    }

    private struct Table: Codable {
        let version: Int
        let key: String
        let checksum: String
        let bytes: Int
        let entries: [Entry]
    }

    /// A matrix that a layer wants.
    struct Wanted {
        let name: String
        let quant: ck_quant
        let rows: Int
        let columns: Int
    }

    private let entries: [String: Entry]
    private let memory: MappedMemory
    /// Whether the matrices are there already.
    package let isFilled: Bool
    private let dataOffset: Int
    private let bytes: Int
    private let unfinished: (temporary: String, final: String, table: Table)?

    private init(
        table: Table,
        memory: MappedMemory,
        dataOffset: Int,
        isFilled: Bool,
        unfinished: (temporary: String, final: String, table: Table)?
    ) {
        entries = Dictionary(table.entries.map { ($0.name, $0) }) { first, _ in first }
        self.memory = memory
        self.dataOffset = dataOffset
        bytes = table.bytes
        self.isFilled = isFilled
        self.unfinished = unfinished
    }

    deinit {
        if let unfinished { unlink(unfinished.temporary) }
    }

    // MARK: - Opening

    /// The file of a model, or memory for one that is to be made.
    ///
    /// - Parameters:
    ///   - folder: where files are kept; nil for memory only.
    ///   - key: of the source and the precision; part of a file name.
    static func open(folder: String?, key: String, wanted: [Wanted]) -> PackedWeights? {
        if wanted.isEmpty { return nil }
        let table = Self.table(key: key, wanted: wanted)
        guard let folder else { return inMemory(table) }
        let path = "\(folder)/\(key).packed"
        if let file = existing(path, like: table) { return file }
        return newFile(path, folder: folder, table: table) ?? inMemory(table)
    }

    private static func table(key: String, wanted: [Wanted]) -> Table {
        var entries: [Entry] = []
        var offset = 0
        for matrix in wanted {
            entries.append(
                Entry(
                    name: matrix.name,
                    quant: matrix.quant.rawValue,
                    rows: matrix.rows,
                    columns: matrix.columns,
                    offset: offset
                )
            )
            let size = PackedMatrix.byteCount(matrix.quant, rows: matrix.rows, columns: matrix.columns)
            offset += (size + 63) & ~63
        }
        return Table(version: version, key: key, checksum: "", bytes: offset, entries: entries)
    }

    private static func existing(_ path: String, like table: Table) -> PackedWeights? {
        guard let memory = MappedMemory(file: path), memory.count >= 16 else { return nil }
        let head = memory.bytes(0..<16)
        guard Array(head[..<8]) == magic else { return nil }
        let length = head[8...].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length < 64 << 20, 16 + length <= memory.count,
            let found = try? JSONDecoder().decode(Table.self, from: Data(memory.bytes(16..<16 + length)))
        else { return nil }
        let start = (16 + length + page - 1) / page * page
        guard found.version == table.version, found.key == table.key, found.entries == table.entries,
            found.bytes == table.bytes, memory.count == start + table.bytes,
            found.checksum == memory.checksum(start..<start + table.bytes)
        else { return nil }
        return PackedWeights(table: found, memory: memory, dataOffset: start, isFilled: true, unfinished: nil)
    }

    private static func newFile(_ path: String, folder: String, table: Table) -> PackedWeights? {
        guard (try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)) != nil,
            let length = (try? encode(table, checksum: String(repeating: "0", count: 16)))?.count
        else { return nil }
        removeAbandoned(besides: path, in: folder)
        let start = (16 + length + page - 1) / page * page
        let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        guard let memory = MappedMemory(newFile: temporary, count: start + table.bytes) else {
            unlink(temporary)
            return nil
        }
        return PackedWeights(
            table: table,
            memory: memory,
            dataOffset: start,
            isFilled: false,
            unfinished: (temporary, path, table)
        )
    }

    /// Removes unfinished files of `path` that no living process writes.
    private static func removeAbandoned(besides path: String, in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for file in names.map({ "\(folder)/\($0)" }) where file.hasPrefix(path + ".") {
            let descriptor = Glibc.open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { continue }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(file) }
            close(descriptor)
        }
    }

    private static func inMemory(_ table: Table) -> PackedWeights? {
        MappedMemory(count: table.bytes).map {
            PackedWeights(table: table, memory: $0, dataOffset: 0, isFilled: false, unfinished: nil)
        }
    }

    private static func encode(_ table: Table, checksum: String) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(
            Table(
                version: table.version,
                key: table.key,
                checksum: checksum,
                bytes: table.bytes,
                entries: table.entries
            )
        )
    }

    // MARK: - Matrices

    /// Where a matrix is or is to be put.
    func place(of name: String, quant: ck_quant, rows: Int, columns: Int) -> (matrix: PackedMatrix, isFilled: Bool)? {
        guard let entry = entries[name], entry.quant == quant.rawValue, entry.rows == rows, entry.columns == columns
        else { return nil }
        let pointer = memory.base + dataOffset + entry.offset
        return (PackedMatrix(pointer, quant: quant, rows: rows, columns: columns, owner: memory), isFilled)
    }

    /// Memory for a matrix that has no place in a file.
    static func unfiled(quant: ck_quant, rows: Int, columns: Int) -> PackedMatrix {
        let owner = AlignedMemory(count: PackedMatrix.byteCount(quant, rows: rows, columns: columns))
        return PackedMatrix(owner.base, quant: quant, rows: rows, columns: columns, owner: owner)
    }

    /// Puts the file into its place after all matrices were made; where that fails, the next start makes them again.
    package func finish() {
        guard let unfinished else { return }
        let checksum = memory.checksum(dataOffset..<dataOffset + bytes)
        guard let data = try? Self.encode(unfinished.table, checksum: checksum), 16 + data.count <= dataOffset else {
            return
        }
        let length = withUnsafeBytes(of: UInt64(data.count).littleEndian) { Array($0) }
        memory.write(Self.magic + length + Array(data), at: 0)
        rename(unfinished.temporary, unfinished.final)
        memory.unlock()
    }
}

/// Memory of a size that ends with this object, aligned for the kernels.
private final class AlignedMemory {
    let base: UnsafeMutableRawPointer

    init(count: Int) {
        base = .allocate(byteCount: max(64, count), alignment: 64)
    }

    deinit { base.deallocate() }
}

/// Pages of a file, or without one.
private final class MappedMemory {
    let base: UnsafeMutableRawPointer
    let count: Int
    /// Of a file that is being written and stays locked; -1 otherwise.
    private var lock: Int32 = -1

    /// A file as it is, read-only.
    init?(file path: String) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
            let address = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
        else { return nil }
        base = address
        count = Int(status.st_size)
    }

    /// A new file of a size; its blocks are reserved, so that a full disk shows here and not as a signal later.
    init?(newFile path: String, count: Int) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        // Another process may have taken the file for abandoned before it was locked: it is gone then, and so is only
        // the chance to keep it.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, posix_fallocate(descriptor, 0, count) == 0,
            let address = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), address != MAP_FAILED
        else {
            close(descriptor)
            return nil
        }
        base = address
        self.count = count
        lock = descriptor
    }

    /// Lets other processes have the file.
    func unlock() {
        if lock >= 0 { close(lock) }
        lock = -1
    }

    init?(count: Int) {
        let flags = MAP_PRIVATE | Int32(MAP_ANONYMOUS)
        guard let address = mmap(nil, max(1, count), PROT_READ | PROT_WRITE, flags, -1, 0), address != MAP_FAILED
        else { return nil }
        base = address
        self.count = max(1, count)
    }

    deinit {
        unlock()
        munmap(base, count)
    }

    func bytes(_ range: Range<Int>) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    func write(_ bytes: [UInt8], at offset: Int) {
        bytes.withUnsafeBytes {
            (base + offset).copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(base), byteCount: $0.count)
        }
    }

    func checksum(_ range: Range<Int>) -> String {
        let start = (base + range.lowerBound).assumingMemoryBound(to: UInt8.self)
        return String(ci_checksum(start, range.count, 0), radix: 16)
    }
}
