internal import CImaging
internal import Glibc

/// Where OpenVINO keeps compiled models between runs.
///
/// OpenVINO believes what it finds there, and maps it while others may write it: a damaged file would give wrong answers
/// without a word, one that is being written a crash. So each model has a folder of its own with a list of checksums.
/// What agrees with its list is used; otherwise the model is compiled into a private folder, which is then renamed into
/// place. Files that others have mapped are never written, only unlinked.
struct CompiledModelCache {
    private static let list = "checksums"

    private let shared: String
    private let own: String

    /// - Parameters:
    ///   - root: the cache's folder, which exists.
    ///   - model: the file; its name and the library's version name the folder.
    init(root: String, model: String, version: String) {
        let name = model.split(separator: "/").last.map(String.init) ?? model
        shared = root + "/" + (name + "-" + version).map { $0 == "/" ? "_" : String($0) }.joined()
        own = shared + ".\(getpid())-\(UInt32.random(in: 0 ... .max))"
    }

    /// The shared folder if all in it is as it was written, a new private one otherwise; nil where nothing can be
    /// written.
    func folder() -> String? {
        if isWhole { return shared }
        return mkdir(own, 0o700) == 0 ? own : nil
    }

    /// Makes what was compiled into `folder` the shared copy; called whether compiling succeeded or not.
    func finish(_ folder: String, isCompiled: Bool) {
        guard folder == own else { return }
        if isCompiled, writeList(), !isWhole {
            // Out of the way first: a folder is only renamed onto an empty one.
            let old = own + ".old"
            if rename(shared, old) == 0 { remove(old) }
            if rename(own, shared) == 0 { return }
        }
        remove(own)
    }

    private var isWhole: Bool {
        guard let known = read(shared + "/" + Self.list), !known.isEmpty else { return false }
        return known == Array(checksums(of: shared).utf8)
    }

    private func writeList() -> Bool {
        let text = checksums(of: own)
        guard let file = fopen(own + "/" + Self.list, "wb") else { return false }
        let isWritten = fwrite(text, 1, text.utf8.count, file) == text.utf8.count
        return fclose(file) == 0 && isWritten
    }

    private func remove(_ folder: String) {
        for name in files(in: folder) { unlink(folder + "/" + name) }
        unlink(folder + "/" + Self.list)
        rmdir(folder)
    }

    private func files(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".blob") { names.append(name) }
        }
        return names.sorted()
    }

    /// A line for each compiled model: name, bytes, checksum.
    private func checksums(of folder: String) -> String {
        files(in: folder).map { name in
            guard let bytes = read(folder + "/" + name) else { return "\(name) unreadable\n" }
            return "\(name) \(bytes.count) \(String(ci_checksum(bytes, bytes.count, 0), radix: 16))\n"
        }.joined()
    }

    private func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var status = stat()
        guard fstat(fileno(file), &status) == 0, status.st_size >= 0, status.st_size < 1 << 30 else { return nil }
        let size = Int(status.st_size)
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = buffer.baseAddress.map { fread($0, 1, size, file) } ?? 0
        }
        return bytes.count == size ? bytes : nil
    }
}
