internal import Analysis
internal import Events
package import Logging

/// Metrics and health over HTTP, where the configuration asks for them.
package actor MetricsPart: DaemonPart {
    private let server: MetricsServer
    private var serving: Task<Void, Never>?
    private let bound = AsyncStream<Result<Void, any Error>>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Nil where nothing is to be served.
    ///
    /// - Throws: `MetricsServerError` for an address that needs a token and has none.
    package init?(_ facts: DaemonFacts, logger: Logger) throws(MetricsServerError) {
        guard let listener = facts.configuration.http.listen else { return nil }
        let address: MetricsServer.Address =
            switch listener {
            case .unix(let path): .unix(path: facts.configuration.runtimePath(path))
            case .tcp(let host, let port): .tcp(host: host, port: port)
            }
        let metrics = DaemonMetrics(version: RunProvenance.version)
        let status = facts.status
        server = try MetricsServer(
            address: address,
            token: facts.configuration.http.token?.reveal(),
            viewer: Viewer(facts),
            logger: logger,
            metrics: { metrics.text(await status()) },
            health: {
                // Whoever answers is alive; a source that hangs starves the watchdog.
                HealthState(missing: await status().missing)
            },
            whenBound: { [continuation = bound.continuation] _ in continuation.yield(.success(())) }
        )
    }

    package func start() async throws {
        let (server, continuation) = (server, bound.continuation)
        serving = Task(name: "metrics") {
            do {
                try await server.run()
            } catch {
                continuation.yield(.failure(error))
            }
        }
        for await result in bound.stream { return try result.get() }
    }

    package func stop() async {
        serving?.cancel()
        await serving?.value
    }
}
