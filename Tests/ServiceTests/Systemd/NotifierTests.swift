import Foundation
import Glibc
import Service
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

    @Test("the limit is systemd's, if it means this process")
    func limit() {
        #expect(Notifier.watchdogLimit(environment: [:]) == nil)
        #expect(Notifier.watchdogLimit(environment: ["WATCHDOG_USEC": "30000000"]) == .seconds(30))
        #expect(Notifier.watchdogLimit(environment: ["WATCHDOG_USEC": "0"]) == nil)
        let foreign = ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"]
        #expect(Notifier.watchdogLimit(environment: foreign, processID: 2) == nil)
        #expect(Notifier.watchdogLimit(environment: foreign, processID: 1) == .milliseconds(1))
    }
}
