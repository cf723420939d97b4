import Events
import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The text of a file.
func contents(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
}

/// A pipe whose ends no child process of another test keeps open.
func makePipe() throws -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    for end in ends {
        try #require(fcntl(end, F_SETFD, FD_CLOEXEC) == 0)
    }
    return (ends[0], ends[1])
}

@Suite("Writing lines")
struct SinkTests {
    static func line(_ text: String) throws -> EventLine { try EventLine(json: Array(text.utf8)) }

    @Test("lines reach the file, whole and in order, at the latest on close", arguments: [1, 3, 100])
    func file(linesPerFlush: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("out.jsonl", "old\n")
        var sink = try JSONLinesSink(path: path, linesPerFlush: linesPerFlush)
        for number in 1...7 {
            try sink.write(Self.line("{\"n\":\(number)}"))
            #expect(sink.linesWritten == number / linesPerFlush * linesPerFlush)
            #expect(sink.linesBuffered == number % linesPerFlush)
        }
        try sink.flush()
        #expect(sink.linesWritten == 7)
        try sink.write(Self.line("{\"n\":8}"))
        try sink.close()
        try sink.close()
        #expect(try contents(path) == (1...8).map { "{\"n\":\($0)}\n" }.joined())
        #expect(throws: EventError.self) { try sink.write(Self.line("{}")) }
    }

    @Test("a new file can be read by everybody the umask allows and written by its owner")
    func mode() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out.jsonl")
        var sink = try JSONLinesSink(path: path)
        try sink.close()
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 & ~0o644 == 0 && status.st_mode & 0o600 == 0o600)
    }

    @Test("a sink that is let go of has written what it took")
    func dropped() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out.jsonl")
        do {
            var sink = try JSONLinesSink(path: path, linesPerFlush: 100)
            try sink.write(Self.line("{}"))
        }
        #expect(try contents(path) == "{}\n")
    }

    @Test(
        "appending goes on after the last whole line",
        arguments: [
            ("", ""), ("{\"a\":1}\n", "{\"a\":1}\n"), ("{\"a\":1}\n{\"b\":", "{\"a\":1}\n"), ("{\"tor", ""),
        ]
    )
    func append(before: String, kept: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("out.jsonl", before)
        var sink = try JSONLinesSink(path: path, append: true)
        try sink.write(Self.line("{\"c\":3}"))
        try sink.close()
        #expect(try contents(path) == kept + "{\"c\":3}\n")
    }

    @Test("appending leaves a file alone that holds something else")
    func appendToOther() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("notes.txt", "buy milk")
        do throws(EventError) {
            _ = try JSONLinesSink(path: path, append: true)
            Issue.record("it was opened")
        } catch {
            #expect(error.kind == .notJSONLines && error.exitCode == 2)
        }
        #expect(try contents(path) == "buy milk")
    }

    @Test("what cannot be opened says why and what to do")
    func cannotOpen() throws {
        let folder = try TemporaryFolder()
        let cases: [(path: String, kind: EventError.Kind)] = [
            (folder.path, .isDirectory), (folder.path + "/missing/out.jsonl", .notFound), ("", .notFound),
            ("a\u{0}b", .notFound), (try folder.file("file", "") + "/out.jsonl", .notFound),
        ]
        for (path, kind) in cases {
            do throws(EventError) {
                _ = try JSONLinesSink(path: path)
                Issue.record("\(path) was opened")
            } catch {
                #expect(error.kind == kind && error.operation == .open && error.exitCode == 2)
                #expect(error.description.contains("\"\(path)\"") && error.description.hasSuffix("."))
            }
        }
    }

    @Test("a full device is an error with a name and a remedy, and it stays")
    func fullDevice() throws {
        var sink = try JSONLinesSink(path: "/dev/full")
        for _ in 0..<2 {
            do throws(EventError) {
                try sink.write(EventLine(json: Array("{}".utf8)))
                Issue.record("/dev/full took a line")
            } catch {
                #expect(error.kind == .noSpace && error.code == ENOSPC && error.exitCode == 1 && error.isRetryable)
                #expect(error.description.contains("\"/dev/full\"") && error.description.contains("Free space"))
            }
        }
        #expect(sink.linesWritten == 0)
        do throws(EventError) {
            try sink.close()
            Issue.record("close hid the loss")
        } catch {
            #expect(error.kind == .noSpace)
        }
    }

    @Test("a pipe whose reader has gone is told apart")
    func brokenPipe() throws {
        signal(SIGPIPE, SIG_IGN)
        let ends = try makePipe()
        close(ends.reader)
        var sink = JSONLinesSink(descriptor: ends.writer, name: "a pipe", ownsDescriptor: true, linesPerFlush: 2)
        try sink.write(Self.line("{}"))
        do throws(EventError) {
            try sink.flush()
            Issue.record("the pipe took a line")
        } catch {
            #expect(error.kind == .brokenPipe && error.path == "a pipe" && error.exitCode == 1)
        }
    }

    @Test("a slow reader of a non-blocking pipe gets every byte", .timeLimit(.minutes(1)))
    func fullPipe() async throws {
        let (reader, writer) = try makePipe()
        #expect(fcntl(writer, F_SETFL, O_NONBLOCK) == 0)
        let text = "{\"text\":\"" + String(repeating: "x", count: 60_000) + "\"}"
        let received = Task.detached {
            var count = 0
            var chunk = [UInt8](repeating: 0, count: 1000)
            while case let size = read(reader, &chunk, chunk.count), size > 0 { count += size }
            close(reader)
            return count
        }
        var sink = JSONLinesSink(descriptor: writer, name: "a pipe", ownsDescriptor: true)
        for _ in 0..<10 {
            try sink.write(Self.line(text))
        }
        try sink.close()
        #expect(await received.value == 10 * (text.utf8.count + 1))
    }

    @Test("a file that may not grow ends with its last whole line")
    func cutBack() async throws {
        // The limit holds for a whole process, so the file is written in one of its own.
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = folder.path("out.jsonl")
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100, rlim_max: 100)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            var sink = try JSONLinesSink(path: path, linesPerFlush: 5)
            let line = try SinkTests.line("{\"text\":\"" + String(repeating: "x", count: 20) + "\"}")
            do throws(EventError) {
                for _ in 0..<10 { try sink.write(line) }
                Issue.record("the file took more than its limit")
            } catch {
                #expect(error.kind == .noSpace && error.code == EFBIG)
                #expect(error.description.contains("3 lines"))
            }
            #expect(sink.linesWritten == 3)
            #expect(try contents(path) == String(repeating: line.description + "\n", count: 3))
        }
    }

    @Test("standard output is called by its name and stays open")
    func standardOutput() throws {
        var sink = try JSONLinesSink(path: "-")
        #expect(sink.name == "standard output")
        try sink.close()
        #expect(fcntl(STDOUT_FILENO, F_GETFD) >= 0)
    }

    @Test("sinks can be held without knowing their kind")
    func anySink() throws {
        struct Kept: EventSink {
            var lines: [EventLine] = []
            var linesWritten: Int { lines.count }
            mutating func write(_ line: EventLine) throws(EventError) { lines.append(line) }
            mutating func flush() throws(EventError) {}
            mutating func close() throws(EventError) {}
        }
        func fill(_ sink: inout some EventSink & ~Copyable) throws {
            try sink.write(Self.line("{}"))
            try sink.close()
        }
        var kept = Kept()
        try fill(&kept)
        #expect(kept.lines.count == 1)
        var file: any EventSink & ~Copyable = try JSONLinesSink(path: "/dev/null")
        try file.write(Self.line("{}"))
        try file.close()
    }
}
