import Events
import FoundationEssentials
import GRDB
import Glibc
import Journal
import Testing

@Suite("A journal whose database others meddle with", .timeLimit(.minutes(2)))
struct DamageTests {
    @Test("a database that somebody locks holds nobody up and takes the lines afterwards")
    func locked() async throws {
        let directory = try StateDirectory()
        let daemon = try Daemon(directory, id: "one")
        try daemon.publish(10)
        #expect(await daemon.journal.flush())
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: directory.database, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        try daemon.publish(10)
        #expect(await daemon.journal.flush() == false)
        #expect(await daemon.journal.status().failure?.kind == .locked)
        #expect(await daemon.read().names == names("one", 1...20))
        try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        #expect(await daemon.journal.flush())
        #expect(daemon.reports.codes == ["journal_unavailable", "journal_recovered"])
        try other.close()
    }

    @Test("a damaged database is put aside, and a new one begun", arguments: ["garbage", "cut", "other"])
    func damagedAtStart(kind: String) async throws {
        let directory = try StateDirectory()
        let first = try Daemon(directory, id: "one")
        try first.publish(500)
        await first.journal.close()
        switch kind {
        case "garbage": try Data(repeating: 0x2A, count: 10_000).write(to: URL(filePath: directory.database))
        case "cut":
            let whole = try Data(contentsOf: URL(filePath: directory.database))
            try (whole.prefix(100) + Data(repeating: 0xFF, count: whole.count - 100))
                .write(to: URL(filePath: directory.database))
        default:
            unlink(directory.database)
            let other = try DatabaseQueue(path: directory.database)
            try await other.write { try $0.execute(sql: "CREATE TABLE holiday (x)") }
            try other.close()
        }
        let second = try Daemon(directory, id: "two")
        try second.publish(2)
        #expect(await second.journal.flush())
        #expect(second.reports.codes == ["journal_set_aside"])
        #expect(directory.files.contains { $0.hasPrefix("journal.sqlite.damaged-") })
        let items = await second.read(from: .after(Cursor(instanceID: "one", seq: 500)))
        #expect(items.names == ["cursor_unknown - ?", "two-1", "two-2"])
        try await second.journal.purge()
        #expect(!directory.files.contains { $0.hasPrefix("journal.sqlite.damaged-") })
        await second.journal.close()
    }

    @Test("a database that is damaged while it is in use is put aside, and lines are kept in a new one")
    func damagedInUse() async throws {
        let directory = try StateDirectory()
        let daemon = try Daemon(directory, id: "one")
        try daemon.publish(5000)
        #expect(await daemon.journal.flush())
        await daemon.journal.maintain()  // moves the log into the file
        let file = open(directory.database, O_WRONLY | O_CLOEXEC)
        let size = directory.bytes(of: "journal.sqlite")
        let rubbish = [UInt8](repeating: 0xA5, count: size - 4096)
        #expect(pwrite(file, rubbish, rubbish.count, 4096) == rubbish.count)
        close(file)
        // Somebody reads or writes until a damaged page is met.
        for _ in 0..<50 where daemon.reports.all.isEmpty {
            try daemon.publish(500)
            await daemon.journal.flush()
            _ = await daemon.read()
        }
        #expect(daemon.reports.codes == ["journal_set_aside"])
        try daemon.publish(10)
        #expect(await daemon.journal.flush())
        let last = daemon.bus.lastSeq
        #expect(await daemon.read().names.suffix(10) == names("one", (last - 9)...last)[...])
        await daemon.journal.close()
    }

    @Test("a database that somebody deletes does not swallow lines")
    func deleted() async throws {
        let directory = try StateDirectory()
        let daemon = try Daemon(directory, id: "one")
        try daemon.publish(10)
        #expect(await daemon.journal.flush())
        for file in directory.files where file.hasPrefix("journal.sqlite") { unlink(directory.path + "/" + file) }
        try daemon.publish(10)
        #expect(await daemon.journal.flush())
        await daemon.journal.close()
        let second = try Daemon(directory, id: "two")
        #expect(await second.read().names == names("one", 11...20))
    }
}
