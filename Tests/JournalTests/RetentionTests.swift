import Events
import Journal
import Testing

@Suite("What a journal forgets", .timeLimit(.minutes(2)))
struct RetentionTests {
    private static let hour: Int64 = 3_600_000

    private func settings(hours: Int64? = nil, bytes: Int = 1 << 30) -> JournalSettings {
        var settings = JournalSettings.test
        settings.maximumAge = hours.map { .seconds($0 * 3600) }
        settings.maximumBytes = bytes
        return settings
    }

    /// Does all that retention has to do, not one round of it only.
    private func settle(_ daemon: Daemon) async {
        for _ in 0..<40 { await daemon.journal.maintain() }
    }

    @Test("lines go by their age, and a cursor to them yields their exact number")
    func age() async throws {
        let clock = SetClock()
        let daemon = try Daemon(StateDirectory(), id: "one", settings: settings(hours: 24), clock: clock)
        for _ in 0..<10 {
            try daemon.publish(300)
            clock.milliseconds += 4 * Self.hour
        }
        #expect(await daemon.journal.flush())
        await settle(daemon)
        // Now is hour 40; hours 16, 20 … 36 are kept.
        #expect(await daemon.read().names == names("one", 1201...3000))
        let resumed = await daemon.read(from: .after(Cursor(instanceID: "one", seq: 100)))
        #expect(resumed.names == ["cursor_expired 101-1200 1100"] + names("one", 1201...3000))
    }

    @Test("all lines of an instance may go; a cursor to it still yields their exact number")
    func wholeInstance() async throws {
        let clock = SetClock()
        let directory = try StateDirectory()
        for (id, count) in [("one", 50), ("two", 60), ("three", 70)] {
            let daemon = try Daemon(directory, id: id, settings: settings(hours: 24), clock: clock)
            try daemon.publish(count)
            clock.milliseconds += 20 * Self.hour
            await daemon.journal.close()
        }
        let daemon = try Daemon(directory, id: "four", settings: settings(hours: 24), clock: clock)
        try daemon.publish(1)
        await settle(daemon)
        let resumed = await daemon.read(from: .after(Cursor(instanceID: "one", seq: 20)))
        #expect(resumed.names == ["cursor_expired - 90"] + names("three", 1...70) + ["four-1"])
    }

    @Test("a clock that was ahead and was set back keeps nothing for ever")
    func clockSetBack() async throws {
        let clock = SetClock()
        let daemon = try Daemon(StateDirectory(), id: "one", settings: settings(hours: 24), clock: clock)
        clock.milliseconds += 10_000 * Self.hour
        try daemon.publish(2000)
        clock.milliseconds -= 10_000 * Self.hour
        try daemon.publish(10)
        clock.milliseconds += 12 * Self.hour
        try daemon.publish(10)
        await settle(daemon)
        #expect(await daemon.read().names.count == 2020)
        clock.milliseconds += 13 * Self.hour
        await settle(daemon)
        #expect(await daemon.read().names == names("one", 2011...2020))
    }

    @Test("lines made while the clock was far behind take no younger ones along")
    func clockBehind() async throws {
        let clock = SetClock()
        let daemon = try Daemon(StateDirectory(), id: "one", settings: settings(hours: 24), clock: clock)
        try daemon.publish(5)
        let right = clock.milliseconds
        clock.milliseconds = 0
        try daemon.publish(5)
        clock.milliseconds = right + Self.hour
        try daemon.publish(5)
        await settle(daemon)
        #expect(await daemon.read().names == names("one", 1...15))
        clock.milliseconds = right + 24 * Self.hour + 1
        await settle(daemon)
        #expect(await daemon.read().names == names("one", 11...15))
    }

    @Test("the file stays near its limit, and shrinks when the limit does")
    func size() async throws {
        let directory = try StateDirectory()
        let limit = 2 << 20
        var daemon = try Daemon(directory, id: "one", settings: settings(bytes: limit))
        for _ in 0..<40 {
            try daemon.publish(200, text: String(repeating: "x", count: 1000))
            await daemon.journal.maintain()
            #expect(directory.bytes(of: "journal.sqlite") < limit + (2 << 20))
        }
        await settle(daemon)
        var kept = await daemon.read().names
        #expect(kept == Array(names("one", 1...8000).suffix(kept.count)) && kept.count > 500)
        #expect(await daemon.journal.status().fileBytes <= limit)
        await daemon.journal.close()

        daemon = try Daemon(directory, id: "two", settings: settings(bytes: limit / 4))
        await settle(daemon)
        #expect(await daemon.journal.status().fileBytes <= limit / 4)
        await daemon.journal.close()
        #expect(directory.bytes(of: "journal.sqlite") <= limit / 4)
        kept = Array(kept.suffix(1))
        #expect(kept == ["one-8000"])
    }

    @Test("a purge leaves no byte of a source behind, and cursors yield gaps")
    func purgeSource() async throws {
        let directory = try StateDirectory()
        let daemon = try Daemon(directory, id: "one")
        for _ in 0..<400 {
            try daemon.publish(1, source: "door", text: "SECRET of the door")
            try daemon.publish(2, source: "yard", text: "open yard")
        }
        #expect(await daemon.journal.flush())
        #expect(try directory.holds("SECRET"))
        #expect(try await daemon.journal.purge(source: "door") == 400)
        #expect(try !directory.holds("SECRET") && directory.holds("open yard"))
        let items = await daemon.read()
        #expect(items.events.count == 800)
        #expect(items.prefix(4).map { [$0].names[0] } == ["one-2", "one-3", "not_in_journal 4-4 1", "one-5"])
        let resumed = await daemon.read(from: .after(Cursor(instanceID: "one", seq: 0)))
        #expect(resumed.names.first == "cursor_expired 1-1 1")
    }

    @Test("a purge by time deletes what is older")
    func purgeBefore() async throws {
        let clock = SetClock()
        let daemon = try Daemon(StateDirectory(), id: "one", clock: clock)
        try daemon.publish(1500)
        clock.milliseconds += 1
        try daemon.publish(10)
        #expect(try await daemon.journal.purge(before: clock.now()) == 1500)
        #expect(await daemon.read().names == names("one", 1501...1510))
        #expect(try await daemon.journal.purge() == 10)
        try daemon.publish(1)
        #expect(await daemon.read().names == ["one-1511"])
    }
}
