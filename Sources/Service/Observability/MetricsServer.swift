import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// Serves `/metrics`, `/healthz` and `/readyz` over HTTP until it is shut down.
package struct MetricsServer: ServiceLifecycle.Service {
    package enum Address: Sendable, Hashable {
        /// Port 0 is any that is free.
        case tcp(host: String, port: Int)
        case unix(path: String)

        /// Whether only this machine can reach it.
        package var isLocal: Bool {
            guard case .tcp(let host, _) = self else { return true }
            let octets = host.split(separator: ".", omittingEmptySubsequences: false)
            let isLoopback4 = octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
            return isLoopback4 || ["localhost", "::1", "[::1]"].contains(host)
        }
    }

    private let address: Address
    private let token: String?
    private let viewer: Viewer?
    private let metrics: @Sendable () async -> String
    private let health: @Sendable () async -> HealthState
    private let whenBound: @Sendable (Int?) async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - token: requests must bring it as `Authorization: Bearer …`; without one the address must be local.
    ///   - viewer: what is served besides, under `/` and `/api`.
    ///   - metrics: OpenMetrics text.
    ///   - whenBound: called when requests are answered, with the port of a TCP address.
    package init(
        address: Address,
        token: String? = nil,
        viewer: Viewer? = nil,
        logger: Logger,
        metrics: @escaping @Sendable () async -> String,
        health: @escaping @Sendable () async -> HealthState,
        whenBound: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) throws(MetricsServerError) {
        if token?.isEmpty ?? !address.isLocal { throw .tokenMissing(address) }
        self.address = address
        self.token = token
        self.viewer = viewer
        self.metrics = metrics
        self.health = health
        self.whenBound = whenBound
        self.logger = logger
    }

    package func run() async throws {
        // A browser opens six connections, and keeps them.
        let connections = viewer == nil ? 64 : 512
        let application = Application(
            router: router(),
            // A scraper keeps its connection; one that says nothing for a minute is gone.
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(
                address: try bindAddress(),
                backlog: 64,
                availableConnectionsDelegate: MaximumAvailableConnections(connections, logger: logger)
            ),
            onServerRunning: { [address, whenBound] channel in
                if case .unix(let path) = address { chmod(path, 0o660) }
                await whenBound(channel.localAddress?.port)
            },
            logger: logger
        )
        do {
            try await serve(application)
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw MetricsServerError.addressInUse("\(address)")
        }
        if case .unix(let path) = address { unlink(path) }
    }

    /// Runs until shutdown, and makes of a cancellation a graceful shutdown too.
    ///
    /// Cancelled at the moment when it accepts a connection, the server of NIO would trap: it must see the connection
    /// through.
    private func serve(_ application: some ServiceLifecycle.Service) async throws {
        var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(3)
        let group = ServiceGroup(configuration: configuration)
        let serving = Task(name: "metrics") { try await group.run() }
        let stop: @Sendable () -> Void = { Task { await group.triggerGracefulShutdown() } }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await serving.value
            } onGracefulShutdown: {
                stop()
            }
        } onCancel: {
            stop()
        }
    }

    private func bindAddress() throws(MetricsServerError) -> BindAddress {
        switch address {
        case .tcp(let host, let port):
            return .hostname(host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port: port)
        case .unix(let path):
            // What is bound below replaces any socket's file, so a daemon that still answers must be found before.
            switch UnixSocketProbe(path) {
            case .inUse: throw .addressInUse(path)
            case .notASocket: throw .notASocket(path)
            case .free: return .unixDomainSocket(path: path)
            }
        }
    }

    // MARK: - Answers

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        if let viewer {
            router.add(middleware: ViewerAccess(token: token, address: address))
            viewer.add(to: router)
        } else if let token {
            router.add(middleware: BearerToken(token: token))
        }
        router.get("metrics") { [metrics] _, _ in
            Self.answer(.ok, await metrics(), type: OpenMetricsText.contentType)
        }
        router.get("healthz") { [health] _, _ in
            let state = await health()
            return Self.answer("alive", state.isAlive, reasons: state.stuck)
        }
        router.get("readyz") { [health] _, _ in
            let state = await health()
            return Self.answer("ready", state.isReady, reasons: state.stuck + state.missing)
        }
        return router
    }

    /// `{"ready":false,"reasons":["…"]}`; 503 where the answer is no.
    private static func answer(_ name: String, _ holds: Bool, reasons: [String]) -> Response {
        let list = (try? JSONEncoder().encode(reasons)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
        let text = "{\"\(name)\":\(holds),\"reasons\":\(list)}\n"
        return answer(holds ? .ok : .serviceUnavailable, text, type: "application/json")
    }

    private static func answer(_ status: HTTPResponse.Status, _ text: String, type: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
