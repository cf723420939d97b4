import Events
import Glibc
import Journal
import Testing

@Suite("The journal", .timeLimit(.minutes(2)))
struct JournalTests {
    @Test("lines come back byte for byte with their facts, before and after a restart")
    func roundTrip() async throws {
        let directory = try StateDirectory()
        let first = try Daemon(directory, id: "one")
        let subscription = first.bus.subscribe()
        try first.publish(3)
        try first.bus.publish(.gap(.media(reason: "reconnect", lost: 3)), source: "Türe \"1\"", epoch: 7)
        let live = try #require(await subscription.next())
        let before = await first.read()
        #expect(before.events.map(\.line) == live.map(\.line))
        await first.journal.close()

        let second = try Daemon(directory, id: "two")
        #expect(await second.read() == before)
        let last = try #require(before.events.last)
        #expect(last.type == "gap" && last.source == "Türe \"1\"" && last.epoch == 7)
        #expect(last.publishedAt == SetClock().now())
        #expect(second.reports.all.isEmpty)
        await second.journal.close()
    }

    @Test("reading goes on behind a cursor, over instances, in pages of any size", arguments: [1, 300, 100_000])
    func cursors(maximumBytes: Int) async throws {
        let directory = try StateDirectory()
        for (id, count) in [("one", 5), ("two", 1), ("three", 700)] {
            let daemon = try Daemon(directory, id: id)
            try daemon.publish(count)
            await daemon.journal.close()
        }
        let daemon = try Daemon(directory, id: "four")
        try daemon.publish(2)
        let all = names("one", 1...5) + ["two-1"] + names("three", 1...700) + ["four-1", "four-2"]
        #expect(await daemon.read(maximumBytes: maximumBytes).names == all)
        for start in [0, 3, 4, 5, 6, 400, 706, 707] {
            let cursor = try #require(Cursor(all[start]))
            #expect(
                await daemon.read(from: .after(cursor), maximumBytes: maximumBytes).names == Array(all[(start + 1)...])
            )
        }
        #expect(await daemon.read(from: .after(Cursor(instanceID: "two", seq: 0))).names.first == "two-1")
    }

    @Test("a filter passes over lines without gaps")
    func filter() async throws {
        let daemon = try Daemon(StateDirectory(), id: "one")
        for index in 0..<6000 { try daemon.publish(1, source: index % 2000 == 0 ? "door" : "yard") }
        var position = ReplayPosition.oldest
        var found: [String] = []
        var pages = 0
        while true {
            let page = await daemon.journal.read(from: position, filter: EventFilter(sources: ["door"]))
            found += page.items.names
            pages += 1
            if page.isAtEnd { break }
            position = page.position
        }
        #expect(found == ["one-1", "one-2001", "one-4001"])
        #expect(pages > 1)
    }

    @Test("a cursor that nobody knows yields one gap and the oldest")
    func unknownCursor() async throws {
        let daemon = try Daemon(StateDirectory(), id: "one")
        try daemon.publish(2)
        let items = await daemon.read(from: .after(Cursor(instanceID: "other", seq: 9)))
        #expect(items.names == ["cursor_unknown - ?", "one-1", "one-2"])
    }

    @Test("a cursor ahead of what was kept goes on with the next instance")
    func cursorAhead() async throws {
        let directory = try StateDirectory()
        let first = try Daemon(directory, id: "one")
        try first.publish(2)
        await first.journal.close()
        let second = try Daemon(directory, id: "two")
        try second.publish(1)
        #expect(await second.read(from: .after(Cursor(instanceID: "one", seq: 9))).names == ["two-1"])
    }

    @Test("a subscriber resumes over a restart by the cursor of its last line")
    func resume() async throws {
        let directory = try StateDirectory()
        let first = try Daemon(directory, id: "one")
        let subscription = first.bus.subscribe()
        try first.publish(10)
        let cursor = try #require(await subscription.next(maximumBytes: 1000)?.last?.cursor)
        #expect(cursor.seq < 10)
        await first.journal.close()

        let second = try Daemon(directory, id: "two")
        let resumed = second.bus.subscribe(SubscribeRequest(start: .after(cursor)))
        try second.publish(3)
        second.bus.finish()
        var found: [String] = []
        while let deliveries = await resumed.next() { found += deliveries.map { $0.cursor?.description ?? "notice" } }
        #expect(found == names("one", (cursor.seq + 1)...10) + names("two", 1...3))
    }

    @Test("what was appended can be read at once, and flush says that it is on disk")
    func readsOwnWrites() async throws {
        let directory = try StateDirectory()
        let daemon = try Daemon(directory, id: "one")
        for count in 1...50 {
            try daemon.publish(1)
            #expect(await daemon.journal.read(from: .oldest).items.count == count)
        }
        #expect(await daemon.journal.flush())
        let status = await daemon.journal.status()
        #expect(status.pendingLines == 0 && status.failure == nil && status.fileBytes > 0)
        #expect(status.oldest == SetClock().now())
    }

    @Test("a state directory has one owner, whose process is named to others, until it closes")
    func lock() async throws {
        let directory = try StateDirectory()
        let first = try Daemon(directory)
        let error = #expect(throws: JournalError.self) { try Daemon(directory) }
        #expect(error?.kind == .inUse(processID: getpid()))
        #expect(error?.description.contains("\(getpid())") == true && error?.isRetryable == false)
        await first.journal.close()
        let second = try Daemon(directory)
        await second.journal.close()
    }

    @Test("a state directory is made when its parent is there, and is refused when not")
    func makesDirectory() async throws {
        let directory = try StateDirectory()
        let path = directory.path + "/state"
        let journal = try Journal(directory: path, instanceID: "one") { _ in }
        #expect(await journal.flush())
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 & ~0o750 == 0)
        await journal.close()
        let error = #expect(throws: JournalError.self) {
            try Journal(directory: path + "/a/b", instanceID: "one") { _ in }
        }
        #expect(error?.operation == .lock && error?.code == ENOENT)
    }
}
