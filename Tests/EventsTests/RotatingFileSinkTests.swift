import Events
import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite("Files that are rotated", .timeLimit(.minutes(2)))
struct RotatingFileSinkTests {
    private func numbers(_ path: String) throws -> [String] {
        try contents(path).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private func line(_ number: Int) throws -> EventLine { try SinkTests.line("{\"n\":\(number)}") }

    @Test("a file stays below its limit, each line is whole in one file, the oldest file goes", arguments: [1, 4])
    func bySize(linesPerFlush: Int) throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out.jsonl")
        var sink = try RotatingFileSink(
            path: path,
            rotation: .init(maximumBytes: 40, filesKept: 2),
            linesPerFlush: linesPerFlush
        )
        for number in 10..<30 { try sink.write(line(number)) }
        try sink.close()
        #expect(sink.linesWritten == 20)
        // Four lines of nine bytes fit into forty.
        #expect(try numbers(path) == (26..<30).map { "{\"n\":\($0)}" })
        #expect(try numbers(path + ".1") == (22..<26).map { "{\"n\":\($0)}" })
        #expect(try numbers(path + ".2") == (18..<22).map { "{\"n\":\($0)}" })
        #expect(access(path + ".3", F_OK) != 0)
    }

    @Test("a line longer than the limit has a file of its own")
    func longLine() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out.jsonl")
        var sink = try RotatingFileSink(path: path, rotation: .init(maximumBytes: 5))
        try sink.write(line(1))
        try sink.write(line(2))
        try sink.close()
        #expect(try numbers(path) == ["{\"n\":2}"] && numbers(path + ".1") == ["{\"n\":1}"])
    }

    @Test("after a rename lines go to the old file until it is opened again")
    func byRename() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out.jsonl")
        var sink = try RotatingFileSink(path: path, linesPerFlush: 3)
        try sink.write(line(1))
        #expect(rename(path, path + ".old") == 0)
        try sink.write(line(2))
        try sink.reopen()
        try sink.write(line(3))
        try sink.close()
        #expect(try numbers(path + ".old") == ["{\"n\":1}", "{\"n\":2}"])
        #expect(try numbers(path) == ["{\"n\":3}"])
    }

    @Test("a file that is emptied in place begins anew and is not rotated early")
    func truncated() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out.jsonl")
        var sink = try RotatingFileSink(path: path, rotation: .init(maximumBytes: 24))
        for number in 1...3 { try sink.write(line(number)) }
        #expect(truncate(path, 0) == 0)
        for number in 4...6 { try sink.write(line(number)) }
        try sink.close()
        #expect(try numbers(path) == (4...6).map { "{\"n\":\($0)}" })
        #expect(access(path + ".1", F_OK) != 0)
    }

    @Test("a last line that was torn is cut off at the start")
    func torn() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("out.jsonl", "{\"n\":1}\n{\"n\":")
        var sink = try RotatingFileSink(path: path)
        try sink.write(line(2))
        try sink.close()
        #expect(try numbers(path) == ["{\"n\":1}", "{\"n\":2}"])
    }

    @Test("a path that cannot work is told at the start, and a closed sink takes nothing")
    func errors() throws {
        let folder = try TemporaryFolder()
        do throws(EventError) {
            _ = try RotatingFileSink(path: folder.path)
            Issue.record("a folder was opened")
        } catch {
            #expect(error.kind == .isDirectory)
        }
        var sink = try RotatingFileSink(path: folder.path("out.jsonl"))
        try sink.close()
        try sink.close()
        do throws(EventError) {
            try sink.write(EventLine(json: Array("{}".utf8)))
            Issue.record("it took a line")
        } catch {
            #expect(error.code == EBADF)
        }
    }

    @Test("a file that may not grow keeps whole lines, and goes on when it may")
    func fullAndBack() async throws {
        // The limit holds for a whole process, so the file is written in one of its own.
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = folder.path("out.jsonl")
            signal(SIGXFSZ, SIG_IGN)
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            var limit = rlimit(rlim_cur: 20, rlim_max: rlim_t.max)
            try #require(setrlimit(resource, &limit) == 0)
            var sink = try RotatingFileSink(path: path, linesPerFlush: 100)
            for number in 1...5 { try sink.write(SinkTests.line("{\"n\":\(number)}")) }
            do throws(EventError) {
                try sink.flush()
                Issue.record("the file took more than its limit")
            } catch {
                #expect(error.kind == .noSpace)
            }
            #expect(sink.linesWritten == 2)
            #expect(try contents(path) == "{\"n\":1}\n{\"n\":2}\n")
            limit.rlim_cur = rlim_t.max
            try #require(setrlimit(resource, &limit) == 0)
            for number in 3...5 { try sink.write(SinkTests.line("{\"n\":\(number)}")) }
            try sink.close()
            #expect(sink.linesWritten == 5)
            #expect(try contents(path) == (1...5).map { "{\"n\":\($0)}\n" }.joined())
        }
    }
}

@Suite("The pump", .timeLimit(.minutes(2)))
struct SinkPumpTests {
    /// What a broken sink does, and what reached it.
    final class Script: Sendable {
        private let state: Mutex<(lines: [EventLine], failures: [EventError], opened: Int)>

        init(failures: [EventError] = []) { state = Mutex(([], failures, 0)) }

        var lines: [EventLine] { state.withLock { $0.lines } }
        var opened: Int { state.withLock { $0.opened } }

        func open() { state.withLock { $0.opened += 1 } }

        func write(_ line: EventLine) throws(EventError) {
            try state.withLock { (state) throws(EventError) in
                if !state.failures.isEmpty { throw state.failures.removeFirst() }
                state.lines.append(line)
            }
        }
    }

    struct ScriptedSink: EventSink {
        let script: Script
        var linesWritten: Int { script.lines.count }
        mutating func write(_ line: EventLine) throws(EventError) { try script.write(line) }
        mutating func flush() throws(EventError) {}
        mutating func reopen() throws(EventError) { script.open() }
        mutating func close() throws(EventError) {}
    }

    private static let full = EventError(operation: .write, kind: .noSpace, path: "x", detail: "full")

    @Test("lines reach the sink in order, the last ones before it is closed")
    func moves() async throws {
        let script = Script()
        let bus = EventBus()
        let pump = SinkPump(ScriptedSink(script: script), name: "test") { _ in Issue.record("it failed") }
        let subscription = bus.subscribe()
        async let done: Void = pump.run(subscription)
        for index in 1...300 { try bus.publish(number(index), source: "door") }
        bus.finish()
        try await done
        let seqs = try script.lines.map { try EventDecoder().event($0.bytes).envelope.seq }
        #expect(seqs == Array(1...300))
    }

    @Test("a sink that fails is opened and tried again, nothing is lost, and one report goes out")
    func retries() async throws {
        let script = Script(failures: [Self.full, Self.full, Self.full])
        let bus = EventBus()
        let reports = Mutex<[SinkPump<ScriptedSink>.Report]>([])
        let log: @Sendable (SinkPump<ScriptedSink>.Report) -> Void = { report in reports.withLock { $0.append(report) }
        }
        let pump = SinkPump(ScriptedSink(script: script), name: "test", retryInterval: .zero, report: log)
        let subscription = bus.subscribe()
        for index in 1...10 { try bus.publish(number(index), source: "door") }
        bus.finish()
        try await pump.run(subscription)
        #expect(try script.lines.map { try EventDecoder().event($0.bytes).envelope.seq } == Array(1...10))
        #expect(reports.withLock { $0 } == [.failing(Self.full), .recovered])
        #expect(script.opened == 3)
    }

    @Test("a reader that has gone ends the pump")
    func brokenPipe() async throws {
        let gone = EventError(operation: .write, kind: .brokenPipe, path: "x", detail: "gone")
        let bus = EventBus()
        let pump = SinkPump(ScriptedSink(script: Script(failures: [gone])), name: "test") { _ in }
        let subscription = bus.subscribe()
        try bus.publish(number(1), source: "door")
        let error = await #expect(throws: EventError.self) { try await pump.run(subscription) }
        #expect(error?.kind == .brokenPipe)
    }

    @Test("standard output that cannot be written to is tried again on the same descriptor")
    func standardOutput() async throws {
        let ends = try makePipe()
        var sink = JSONLinesSink(descriptor: ends.writer, name: "a pipe", ownsDescriptor: true)
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        let saved = dup(ends.writer)
        try #require(dup2(full, ends.writer) >= 0)
        #expect(throws: EventError.self) { try sink.write(SinkTests.line("{}")) }
        try #require(dup2(saved, ends.writer) >= 0)
        try sink.reopen()
        try sink.write(SinkTests.line("{}"))
        #expect(sink.linesWritten == 1)
        try sink.close()
        for descriptor in [full, saved, ends.reader] { close(descriptor) }
    }

    @Test("asked to, it opens the file anew without waiting for a line")
    func reopens() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("out.jsonl")
        let pump = SinkPump(try RotatingFileSink(path: path), name: "test") { _ in }
        #expect(rename(path, path + ".old") == 0)
        await pump.reopen()
        #expect(access(path, F_OK) == 0)
    }
}
