import Events
import Glibc
import Journal
import Testing

@Suite("A journal whose disk fails", .timeLimit(.minutes(2)))
struct FaultTests {
    /// Fills the file system with a file of zeros.
    private func fill(_ directory: StateDirectory) -> String {
        let path = directory.path + "/ballast"
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        for size in [65_536, 4096, 512, 1] {
            let zeros = [UInt8](repeating: 0, count: size)
            while write(file, zeros, size) == size {}
        }
        return path
    }

    @Test("a full disk costs no live line; what waits is kept later, once there is room")
    func fullDisk() async throws {
        let directory = try StateDirectory.mounted(bytes: 2 << 20)
        let daemon = try Daemon(directory, id: "one")
        let live = daemon.bus.subscribe()
        try daemon.publish(100)
        #expect(await daemon.journal.flush())
        let ballast = fill(directory)
        try daemon.publish(3000)
        #expect(await daemon.journal.flush() == false)
        #expect(await daemon.journal.flush() == false)
        #expect(await daemon.journal.status().failure?.kind == .noSpace)
        #expect(daemon.reports.codes == ["journal_unavailable"])
        // What waits can be read all the same.
        #expect(await daemon.read().names == names("one", 1...3100))
        daemon.bus.finish()
        var seen = 0
        while let deliveries = await live.next() { seen += deliveries.count }
        #expect(seen == 3100)

        #expect(unlink(ballast) == 0)
        #expect(await daemon.journal.flush())
        #expect(daemon.reports.all.last == .recovered(linesLost: 0))
        await daemon.journal.close()
        let second = try Daemon(directory, id: "two")
        #expect(await second.read().names == names("one", 1...3100))
    }

    @Test("what does not fit into memory while the disk is full is told as a gap with the exact number")
    func gap() async throws {
        let directory = try StateDirectory.mounted(bytes: 2 << 20)
        var settings = JournalSettings.test
        settings.maximumPendingBytes = 20_000
        settings.reportInterval = .zero
        let daemon = try Daemon(directory, id: "one", settings: settings)
        try daemon.publish(100)
        #expect(await daemon.journal.flush())
        let ballast = fill(directory)
        for _ in 0..<3000 {
            try daemon.publish(1)
            // Now and then some may get into the last free page.
            if daemon.bus.lastSeq % 500 == 0 { await daemon.journal.flush() }
        }
        let lost = await daemon.journal.status().lostLines
        #expect(lost > 2000)
        #expect(unlink(ballast) == 0)
        #expect(await daemon.journal.flush())
        let reported = daemon.reports.all.reduce(0) { sum, report in
            if case .recovered(let linesLost) = report { sum + linesLost } else { sum }
        }
        #expect(reported == lost)
        try daemon.publish(5)
        await daemon.journal.close()

        let second = try Daemon(directory, id: "two")
        let items = await second.read(from: .after(Cursor(instanceID: "one", seq: 0)))
        let told = items.reduce(0) { sum, item in
            if case .loss(let loss) = item { sum + (loss.count ?? 0) } else { sum }
        }
        #expect(told == lost)
        #expect(items.events.count + told == 3105)
        #expect(items.names.last == "one-3105")
    }

    @Test("the end of an instance that was never kept is told once there is room again")
    func lostEnd() async throws {
        let directory = try StateDirectory.mounted(bytes: 2 << 20)
        var settings = JournalSettings.test
        settings.maximumPendingBytes = 2000
        let daemon = try Daemon(directory, id: "one", settings: settings)
        try daemon.publish(10)
        #expect(await daemon.journal.flush())
        let ballast = fill(directory)
        // Until the log takes no more.
        repeat { try daemon.publish(20) } while await daemon.journal.flush()
        let resumed = daemon.bus.subscribe(SubscribeRequest(start: .after(Cursor(instanceID: "one", seq: 10))))
        try daemon.publish(1000)
        daemon.bus.finish()
        var lines = 10
        while let deliveries = await resumed.next() {
            for delivery in deliveries {
                if case .gap(let gap) = try EventDecoder().event(delivery.line.bytes).payload {
                    lines += gap.lost ?? 0
                } else {
                    lines += 1
                }
            }
        }
        #expect(lines == daemon.bus.lastSeq)
        unlink(ballast)
    }

    @Test("a file that may not grow is as good as a full disk")
    func fileLimit() async throws {
        await #expect(processExitsWith: .success) {
            let directory = try StateDirectory()
            let daemon = try Daemon(directory, id: "one")
            try daemon.publish(10)
            try #require(await daemon.journal.flush())
            signal(SIGXFSZ, SIG_IGN)
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: rlim_t.max)
            try #require(setrlimit(resource, &limit) == 0)
            try daemon.publish(2000)
            #expect(await daemon.journal.flush() == false)
            #expect(daemon.reports.codes == ["journal_unavailable"])
            limit.rlim_cur = rlim_t.max
            try #require(setrlimit(resource, &limit) == 0)
            #expect(await daemon.journal.flush())
            #expect(await daemon.read().names == names("one", 1...2010))
            await daemon.journal.close()
        }
    }

    @Test("a disk that becomes read-only is told once, and lines are kept again when it is writable")
    func readOnly() async throws {
        let directory = try StateDirectory.mounted(bytes: 4 << 20)
        let daemon = try Daemon(directory, id: "one")
        try daemon.publish(10)
        #expect(await daemon.journal.flush())
        await daemon.journal.close()
        try #require(directory.remount(readOnly: true))

        let second = try Daemon(directory, id: "two")
        try second.publish(10)
        #expect(await second.journal.flush() == false)
        #expect(await second.journal.flush() == false)
        #expect(second.reports.codes == ["journal_unavailable"])
        try #require(directory.remount(readOnly: false))
        #expect(await second.journal.flush())
        #expect(second.reports.codes == ["journal_unavailable", "journal_recovered"])
        #expect(await second.read().names == names("one", 1...10) + names("two", 1...10))
        await second.journal.close()
    }

    @Test("a disk that is too slow for the lines costs the oldest, each counted once")
    func slowDisk() async throws {
        let directory = try StateDirectory()
        var settings = JournalSettings.test
        settings.maximumPendingBytes = 3000
        settings.batchInterval = .zero
        let daemon = try Daemon(directory, id: "one", settings: settings)
        let bus = daemon.bus
        async let published: Void = Task.detached {
            for _ in 0..<5000 {
                _ = try? bus.publish(.error(ErrorRecord(code: "test", message: "x", retryable: false)), source: "door")
            }
        }.value
        for _ in 0..<200 { await daemon.journal.flush() }
        await published
        #expect(await daemon.journal.flush())
        let items = await daemon.read(from: .after(Cursor(instanceID: "one", seq: 0)))
        let told = items.reduce(0) { sum, item in
            if case .loss(let loss) = item { sum + (loss.count ?? 0) } else { sum }
        }
        #expect(items.events.count + told == 5000)
        #expect(await daemon.journal.status().lostLines == told)
        await daemon.journal.close()
    }

    @Test("a report may be published: subscribers hear of the failure at once, the journal when it works again")
    func publishedReport() async throws {
        let directory = try StateDirectory.mounted(bytes: 2 << 20)
        let bus = Late<EventBus>()
        let journal = try Journal(directory: directory.path, instanceID: "one", settings: .test) { report in
            _ = try? bus.value?.publish(.error(report.record), source: nil)
        }
        let running = EventBus(instanceID: "one", store: journal)
        bus.value = running
        #expect(await journal.flush())
        let live = running.subscribe(SubscribeRequest(filter: EventFilter(types: ["error"])))
        let ballast = fill(directory)
        repeat {
            try running.publish(.gap(.media(reason: "reconnect")), source: "door")
        } while await journal.flush()
        let line = try #require(await live.next()?.first)
        #expect(line.line.description.contains(#""code":"journal_unavailable""#))
        unlink(ballast)
        #expect(await journal.flush())
        let next = try #require(await live.next()?.first)
        #expect(next.line.description.contains(#""code":"journal_recovered""#))
        let page = await journal.read(from: .oldest, filter: EventFilter(types: ["error"]))
        #expect(page.items.events.map(\.line) == [line.line, next.line])
        await journal.close()
    }

    @Test("once the interval is over, a lasting failure is told again")
    func reportsAgain() async throws {
        let directory = try StateDirectory.mounted(bytes: 4 << 20)
        var settings = JournalSettings.test
        settings.reportInterval = .zero
        let daemon = try Daemon(directory, settings: settings)
        #expect(await daemon.journal.flush())
        _ = fill(directory)
        repeat { try daemon.publish(50) } while await daemon.journal.flush()
        #expect(await daemon.journal.flush() == false)
        #expect(daemon.reports.codes.count >= 2 && Set(daemon.reports.codes) == ["journal_unavailable"])
    }
}
