import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// The files of quantised weights that several processes share.
    @Suite(
        "Quantised weights between processes",
        .serialized,
        .enabled(if: Installation.tinyCheckpoint != nil, "no ../shared/conformance and no FACELLM_CONFORMANCE")
    )
    struct PackedCacheTests {
        /// A cache folder of a test's own.
        private let cache: TemporaryFolder

        init() throws { cache = try TemporaryFolder() }

        private var folder: String { cache.path("facellm/engine") }

        private var files: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        }

        /// Whole files of quantised weights.
        private var packed: [String] { files.filter { $0.hasSuffix(".packed") } }
        /// Files that are being written, or were.
        private var unfinished: [String] { files.filter { $0.contains(".packed.") } }

        private func start(cache: String? = nil) throws -> RunningCommand {
            let model = try #require(Installation.tinyCheckpoint)
            let arguments = [
                "describe", "--model", model, "--precision", "int8", "--no-crop", "--max-tokens", "24", "--json",
                Installation.portrait,
            ]
            return try Facellm.start(arguments, environment: ["XDG_CACHE_HOME": cache ?? self.cache.path])
        }

        /// The answer of a run, whatever time it took.
        private func answer(_ run: CommandLineRun) throws -> String {
            #expect(run.ending == .exited(0), "\(run.standardError)")
            var object = try #require(JSONSerialization.jsonObject(with: run.standardOutput) as? [String: Any])
            object["timing"] = nil
            let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
            return String(decoding: data, as: UTF8.self)
        }

        /// What a process answers that shares its cache with nobody.
        private func expected() async throws -> String {
            let alone = try TemporaryFolder()
            return try answer(await start(cache: alone.path).finish())
        }

        @Test("processes that start at once on an empty cache answer alike and leave one file a half")
        func together() async throws {
            let expected = try await expected()
            let processes = try (0..<4).map { _ in try start() }
            for process in processes { #expect(try answer(await process.finish()) == expected) }
            #expect(packed.count == 2 && unfinished == [])
            #expect(try answer(await start().finish()) == expected)
        }

        @Test("a process killed while it writes leaves nothing that others take for whole, and it is cleared away")
        func killed() async throws {
            let expected = try await expected()
            var isHit = false
            for _ in 0..<50 where !isHit {
                try? FileManager.default.removeItem(atPath: folder)
                let process = try start()
                let deadline = ContinuousClock.now + .seconds(30)
                while unfinished.isEmpty && packed.isEmpty && ContinuousClock.now < deadline { await Task.yield() }
                process.send(SIGKILL)
                _ = await process.finish()
                isHit = !unfinished.isEmpty
            }
            try #require(isHit, "no process was killed while it wrote")
            let left = unfinished
            #expect(try answer(await start().finish()) == expected)
            #expect(packed.count == 2)
            #expect(Set(unfinished).isDisjoint(with: left), "what the killed process left is still there")
            #expect(unfinished == [])
        }

        @Test("what another process writes is left alone")
        func beingWritten() async throws {
            let expected = try await expected()
            #expect(try answer(await start().finish()) == expected)
            let path = try #require(packed.first.map { "\(folder)/\($0)" })
            // As a process has it that is about to write this file.
            let theirs = path + ".1-1"
            let descriptor = open(theirs, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            try FileManager.default.removeItem(atPath: path)
            #expect(try answer(await start().finish()) == expected)
            #expect(FileManager.default.fileExists(atPath: path) && FileManager.default.fileExists(atPath: theirs))
            close(descriptor)
            try FileManager.default.removeItem(atPath: path)
            #expect(try answer(await start().finish()) == expected)
            #expect(unfinished == [])
        }

        @Test("a file that is damaged or of another version is made again", arguments: ["damaged", "cut", "older"])
        func damaged(fault: String) async throws {
            let expected = try answer(await start().finish())
            let paths = packed.map { URL(filePath: "\(folder)/\($0)") }
            #expect(paths.count == 2)
            let whole = try paths.map { try Data(contentsOf: $0) }
            for (path, bytes) in zip(paths, whole) {
                var data = bytes
                switch fault {
                case "damaged": data[data.count / 2] ^= 1
                case "cut": data.removeLast(data.count / 3)
                default:
                    let key = Data("\"version\":".utf8)
                    let place = try #require(data.range(of: key)).upperBound
                    try #require(data[place] != UInt8(ascii: "1"))
                    data[place] = UInt8(ascii: "1")
                }
                try data.write(to: path, options: .atomic)
            }
            #expect(try answer(await start().finish()) == expected)
            #expect(try paths.map { try Data(contentsOf: $0) } == whole)
            #expect(unfinished == [])
        }
    }
}
