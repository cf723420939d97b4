import Events
import FoundationEssentials
import Glibc
import Journal
import Synchronization
import Testing

/// A state directory of its own for a test, removed at its end.
final class StateDirectory: Sendable {
    let path: String
    private let isMounted: Bool

    init(mountedBytes: Int? = nil) throws {
        let path = FileManager.default.temporaryDirectory.path + "/journal-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        isMounted = mountedBytes.map { mount("tmpfs", path, "tmpfs", 0, "size=\($0)") == 0 } ?? false
        self.path = path
    }

    /// A file system of its own in memory.
    ///
    /// - Throws: cancels the test where this user may not mount.
    static func mounted(bytes: Int) throws -> StateDirectory {
        let directory = try StateDirectory(mountedBytes: bytes)
        guard directory.isMounted else {
            try Test.cancel("needs to mount a file system")
        }
        return directory
    }

    func remount(readOnly: Bool) -> Bool {
        mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT) | (readOnly ? UInt(MS_RDONLY) : 0), nil) == 0
    }

    deinit {
        if isMounted { umount2(path, Int32(MNT_DETACH)) }
        try? FileManager.default.removeItem(atPath: path)
    }

    var database: String { path + "/journal.sqlite" }

    var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    func bytes(of file: String) -> Int {
        var status = stat()
        return stat(path + "/" + file, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Whether some bytes stand in any file.
    func holds(_ text: String) throws -> Bool {
        try files.contains { file in
            let content = String(decoding: try Data(contentsOf: URL(filePath: path + "/" + file)), as: UTF8.self)
            return content.contains(text)
        }
    }
}

/// A clock that stands where it is put.
final class SetClock: Sendable {
    private let time: Mutex<Int64>

    init(_ milliseconds: Int64 = 1_772_357_400_000) { time = Mutex(milliseconds) }

    var milliseconds: Int64 {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }

    var now: @Sendable () -> Timestamp { { Timestamp(millisecondsSince1970: self.milliseconds) } }
}

/// What a journal reported.
final class Reports: Sendable {
    private let list = Mutex<[JournalReport]>([])

    var all: [JournalReport] { list.withLock { $0 } }
    var codes: [String] { all.map(\.record.code) }
    func take(_ report: JournalReport) { list.withLock { $0.append(report) } }
}

/// A journal and the bus in front of it.
struct Daemon {
    let journal: Journal
    let bus: EventBus
    let reports: Reports
    /// Kept for as long as the journal is in use.
    private let directory: StateDirectory

    init(
        _ directory: StateDirectory,
        id: String = EventFactory.randomInstanceID(),
        settings: JournalSettings = .test,
        clock: SetClock = SetClock()
    ) throws {
        let reports = Reports()
        self.reports = reports
        self.directory = directory
        journal = try Journal(directory: directory.path, instanceID: id, settings: settings, now: clock.now) { report in
            reports.take(report)
        }
        bus = EventBus(instanceID: id, store: journal, now: clock.now)
    }

    func publish(_ count: Int, source: String = "door", text: String = "x") throws {
        for _ in 0..<count {
            try bus.publish(.error(ErrorRecord(code: "test", message: text, retryable: false)), source: source)
        }
    }

    /// All lines and gaps from a position on.
    func read(from position: ReplayPosition = .oldest, maximumBytes: Int = 65_536) async -> [ReplayPage.Item] {
        var items: [ReplayPage.Item] = []
        var position = position
        while true {
            let page = await journal.read(from: position, maximumBytes: maximumBytes)
            items += page.items
            if page.isAtEnd { return items }
            position = page.position
        }
    }
}

extension JournalSettings {
    /// Retries only when asked to, so that a test decides when.
    static var test: JournalSettings {
        var settings = JournalSettings()
        settings.maximumAge = nil
        settings.retryInterval = .seconds(3600)
        return settings
    }
}

extension [ReplayPage.Item] {
    /// `"one-7"` for a line, `"reason from-to count"` for a gap.
    var names: [String] {
        map { item in
            switch item {
            case .event(let event): event.cursor.description
            case .loss(let loss):
                "\(loss.reason.rawValue) \(loss.fromSeq.map(String.init) ?? "")-\(loss.toSeq.map(String.init) ?? "")"
                    + " \(loss.count.map(String.init) ?? "?")"
            }
        }
    }

    var events: [PublishedEvent] {
        compactMap { if case .event(let event) = $0 { event } else { nil } }
    }
}

/// `["one-1", "one-2", …]`.
func names(_ id: String, _ range: ClosedRange<Int>) -> [String] {
    range.map { "\(id)-\($0)" }
}

/// A value that another task gets later.
final class Late<Value: Sendable>: Sendable {
    private let content = Mutex<Value?>(nil)

    var value: Value? {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}
