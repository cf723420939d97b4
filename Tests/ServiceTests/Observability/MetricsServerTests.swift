import Foundation
import FoundationNetworking
import Logging
import Testing

@testable import Service

@Suite(.serialized) struct MetricsServerTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private struct Answer {
        var status: Int
        var body: String
        var type: String
    }

    /// Runs a server on a free port, lets `body` ask it, and shuts it down.
    private func withServer(
        token: String? = nil,
        health: HealthState = HealthState(),
        _ body: (Int) async throws -> Void
    ) async throws {
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        let server = try MetricsServer(
            address: .tcp(host: "127.0.0.1", port: 0),
            token: token,
            logger: Self.quiet,
            metrics: { "x 1\n# EOF\n" },
            health: { health },
            whenBound: { port in
                if let port { bound.yield(port) }
                bound.finish()
            }
        )
        let running = Task { try await server.run() }
        defer { running.cancel() }
        var iterator = ports.makeAsyncIterator()
        try await body(try #require(await iterator.next()))
        running.cancel()
        _ = await running.result
    }

    private func ask(_ port: Int, _ path: String, token: String? = nil) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        if let token { request.setValue(token, forHTTPHeaderField: "Authorization") }
        let session = URLSession(configuration: .ephemeral)
        defer { session.invalidateAndCancel() }
        let (data, response) = try await session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        return Answer(
            status: http.statusCode,
            body: String(decoding: data, as: UTF8.self),
            type: http.value(forHTTPHeaderField: "Content-Type") ?? ""
        )
    }

    @Test(.timeLimit(.minutes(1))) func answersOfADaemonThatIsWell() async throws {
        try await withServer { port async throws in
            let metrics = try await ask(port, "/metrics")
            #expect(metrics.status == 200)
            #expect(metrics.body == "x 1\n# EOF\n")
            #expect(metrics.type == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            let alive = try await ask(port, "/healthz")
            #expect(alive.status == 200)
            #expect(alive.body == "{\"alive\":true,\"reasons\":[]}\n")
            #expect(alive.type == "application/json")
            let ready = try await ask(port, "/readyz")
            #expect(ready.status == 200)
            #expect(ready.body == "{\"ready\":true,\"reasons\":[]}\n")
            let unknown = try await ask(port, "/other")
            #expect(unknown.status == 404)
        }
    }

    @Test(.timeLimit(.minutes(1))) func answersOfADaemonThatIsNot() async throws {
        try await withServer(health: HealthState(missing: ["the \"model\" is being loaded"])) { port async throws in
            #expect(try await ask(port, "/healthz").status == 200)
            let ready = try await ask(port, "/readyz")
            #expect(ready.status == 503)
            #expect(ready.body == "{\"ready\":false,\"reasons\":[\"the \\\"model\\\" is being loaded\"]}\n")
        }
        try await withServer(health: HealthState(stuck: ["door: no progress for 60 s"])) { port async throws in
            #expect(try await ask(port, "/healthz").status == 503)
            #expect(try await ask(port, "/readyz").status == 503)
        }
    }

    @Test(.timeLimit(.minutes(1))) func tokenIsAskedForEverywhere() async throws {
        try await withServer(token: "s3cret") { port async throws in
            for path in ["/metrics", "/healthz", "/readyz"] {
                #expect(try await ask(port, path).status == 401)
                for wrong in ["Bearer s3cre", "Bearer s3creT", "Bearer ", "Basic s3cret", "s3cret"] {
                    #expect(try await ask(port, path, token: wrong).status == 401, "\(wrong)")
                }
                #expect(try await ask(port, path, token: "bearer s3cret").status == 200)
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func unixSocketIsServedAndStaleFileReplaced() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("m-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("m.sock").path
        for _ in 0..<2 { try await serve(path) }

        try FileManager.default.removeItem(atPath: path)
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        let server = try server(path) {}
        await #expect(throws: MetricsServerError.notASocket(path)) { try await server.run() }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test("a port that somebody has is named", .timeLimit(.minutes(1)))
    func portInUse() async throws {
        try await withServer { port async throws in
            let server = try MetricsServer(
                address: .tcp(host: "127.0.0.1", port: port),
                logger: Self.quiet,
                metrics: { "" },
                health: { HealthState() }
            )
            await #expect(throws: MetricsServerError.addressInUse("127.0.0.1:\(port)")) { try await server.run() }
        }
    }

    /// Serves on `path`, leaves the file of a dead process behind, and sees a second server refused meanwhile.
    private func serve(_ path: String) async throws {
        let (bound, isBound) = AsyncStream.makeStream(of: Void.self)
        let server = try server(path) { isBound.finish() }
        let running = Task { try await server.run() }
        for await _ in bound {}
        #expect(UnixSocketProbe(path) == .inUse)
        let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(permissions == 0o660)
        await #expect(throws: MetricsServerError.addressInUse(path)) { try await server.run() }
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        running.cancel()
        _ = await running.result
        try FileManager.default.moveItem(atPath: path + ".old", toPath: path)
        #expect(UnixSocketProbe(path) == .free)
    }

    private func server(_ path: String, whenBound: @escaping @Sendable () -> Void) throws -> MetricsServer {
        try MetricsServer(
            address: .unix(path: path),
            logger: Self.quiet,
            metrics: { "" },
            health: { HealthState() },
            whenBound: { _ in whenBound() }
        )
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.1.2.3", true), ("localhost", true), ("::1", true), ("[::1]", true),
        ("0.0.0.0", false), ("::", false), ("", false), ("127.0.0.1.example.org", false), ("127.example", false),
        ("192.168.1.2", false), ("1270.0.1", false),
    ])
    func onlyLocalAddressesGoWithoutToken(host: String, isLocal: Bool) throws {
        let address = MetricsServer.Address.tcp(host: host, port: 9000)
        #expect(address.isLocal == isLocal)
        func make(_ token: String?) throws {
            _ = try MetricsServer(
                address: address,
                token: token,
                logger: Self.quiet,
                metrics: { "" },
                health: { HealthState() }
            )
        }
        if isLocal {
            try make(nil)
        } else {
            #expect(throws: MetricsServerError.tokenMissing(address)) { try make(nil) }
        }
        try make("t")
        #expect(throws: MetricsServerError.tokenMissing(address)) { try make("") }
    }
}
