import Foundation
import Glibc
import Service
import Synchronization
import Testing

@Suite("What systemd is told")
struct NotifierTests {
    @Test("each message is one datagram, to a path and to an abstract name", arguments: [true, false])
    func messages(isAbstract: Bool) throws {
        let folder = try SocketsFolder()
        let name = isAbstract ? "@facellm-test-\(UInt64.random(in: 0 ... .max))" : folder("notify")
        let receiver = try DatagramReceiver(name)
        let notifier = try #require(Notifier(environment: ["NOTIFY_SOCKET": name]))
        notifier.ready()
        #expect(receiver.message() == "READY=1")
        notifier.reloading()
        let reloading = receiver.message().split(separator: "\n")
        #expect(reloading.count == 2 && reloading[0] == "RELOADING=1")
        let time = try #require(reloading[1].split(separator: "=").last.flatMap { Int($0) })
        #expect(reloading[1].hasPrefix("MONOTONIC_USEC=") && time > 0)
        notifier.status("2 sources\nonline")
        #expect(receiver.message() == "STATUS=2 sources online")
        notifier.watchdog()
        #expect(receiver.message() == "WATCHDOG=1")
        notifier.extendTimeout(.milliseconds(1500))
        #expect(receiver.message() == "EXTEND_TIMEOUT_USEC=1500000")
        notifier.stopping()
        #expect(receiver.message() == "STOPPING=1")
    }

    @Test("nobody is told where nobody asked, and a listener that went does no harm")
    func absent() throws {
        #expect(Notifier(environment: [:]) == nil)
        #expect(Notifier(environment: ["NOTIFY_SOCKET": "relative"]) == nil)
        #expect(Notifier(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)]) == nil)
        let folder = try SocketsFolder()
        try #require(Notifier(environment: ["NOTIFY_SOCKET": folder("gone")])).ready()
    }
}

@Suite("The watchdog")
struct WatchdogTests {
    /// A clock that is set by hand.
    private final class HandClock: Sendable {
        private let moment = Mutex(SuspendingClock().now)
        var now: SuspendingClock.Instant { moment.withLock(\.self) }
        func advance(_ time: Duration) { moment.withLock { $0 += time } }
    }

    @Test("it is fed while every stage shows progress or is idle, and names those that hang")
    func verdicts() {
        let clock = HandClock()
        let watchdog = Watchdog(now: { clock.now })
        #expect(watchdog.verdict() == .feed)
        let decoder = watchdog.register("decoder", limit: .seconds(10))
        let describer = watchdog.register("describer", limit: .seconds(60))
        clock.advance(.seconds(10))
        #expect(watchdog.verdict() == .feed)
        clock.advance(.seconds(1))
        #expect(watchdog.verdict() == .starve(["decoder"]))
        decoder.stage.progress()
        #expect(watchdog.verdict() == .feed)

        decoder.stage.idle()
        describer.stage.idle()
        clock.advance(.seconds(1_000_000))
        #expect(watchdog.verdict() == .feed)
        // Work begins: from now on stamps are expected again.
        decoder.stage.progress()
        describer.stage.progress()
        #expect(watchdog.verdict() == .feed)
        clock.advance(.seconds(61))
        #expect(watchdog.verdict() == .starve(["decoder", "describer"]))
    }

    @Test("a stage that is let go of is no longer watched")
    func withdrawal() {
        let clock = HandClock()
        let watchdog = Watchdog(now: { clock.now })
        var registration: Watchdog.Registration? = watchdog.register("source door", limit: .seconds(1))
        clock.advance(.seconds(2))
        #expect(watchdog.verdict() == .starve([registration?.stage.name ?? ""]))
        registration = nil
        #expect(watchdog.verdict() == .feed)
    }

    @Test("the limit is systemd's, if it means this process")
    func limit() {
        #expect(Watchdog.limit(environment: [:]) == nil)
        #expect(Watchdog.limit(environment: ["WATCHDOG_USEC": "30000000"]) == .seconds(30))
        #expect(Watchdog.limit(environment: ["WATCHDOG_USEC": "0"]) == nil)
        let foreign = ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"]
        #expect(Watchdog.limit(environment: foreign, processID: 2) == nil)
        #expect(Watchdog.limit(environment: foreign, processID: 1) == .milliseconds(1))
    }
}
