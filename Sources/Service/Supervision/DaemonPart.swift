package import Events

/// Something that runs beside the sources for as long as the daemon does: a server on a socket, for example.
package protocol DaemonPart: Sendable {
    /// Returns when it works; the daemon is not ready before.
    func start() async throws
    /// Returns when it has ended; called after the last line was published, so that readers still get it.
    func stop() async
    /// Takes over what a running part can of a configuration that was read again.
    func apply(_ configuration: Configuration) async
}

extension DaemonPart {
    package func apply(_ configuration: Configuration) async {}
}

/// What a part may know of the daemon that it serves.
package struct DaemonFacts: Sendable {
    package let bus: EventBus
    package let configuration: Configuration
    /// Carries out commands.
    package let handler: any ControlHandler
    /// The first line of a connection, as things stand.
    package let hello: @Sendable () async -> Hello
    /// A sign of life, as things stand.
    package let heartbeat: @Sendable () async -> Heartbeat
    /// What was published; nil where nothing is kept.
    package let history: (any EventHistory)?
    /// Nil where nobody may see pictures.
    package let viewer: ViewerFeed?
    /// Everything that can be told.
    package let status: @Sendable () async -> DaemonStatus
}

/// What the one who started the daemon should know of it, a service manager for instance.
package enum DaemonPhase: Sendable, Hashable {
    case ready
    case reloading
    case stopping
    /// Every stage has shown within the last seconds that it is not stuck.
    case alive
    /// One line for people.
    case status(String)
}
