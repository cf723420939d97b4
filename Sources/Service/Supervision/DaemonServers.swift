internal import Events
internal import Glibc
package import Logging

/// The servers on the daemon's sockets, as the configuration wants them.
package enum DaemonServers {
    /// - Parameters:
    ///   - activated: sockets that systemd has bound already, by their names.
    ///   - logger: of the servers.
    package static func parts(
        of facts: DaemonFacts,
        activated: [String: SocketListener],
        logger: Logger
    ) -> [any DaemonPart] {
        let sockets = facts.configuration.sockets
        let listeners = (
            events: activated["events"] ?? listener(sockets.events.access, facts.configuration),
            control: activated["control"] ?? listener(sockets.control.access, facts.configuration)
        )
        let events = EventsServer(
            bus: facts.bus,
            settings: settings(sockets.events, listeners.events),
            logger: logger,
            hello: facts.hello,
            heartbeat: facts.heartbeat
        )
        let control = ControlServer(
            settings: settings(sockets.control, listeners.control),
            handler: facts.handler,
            logger: logger
        )
        return [
            ServerPart(start: events.start, stop: events.stop) {
                events.apply(settings($0.sockets.events, listeners.events))
            },
            ServerPart(start: control.start, stop: control.stop) {
                control.apply(settings($0.sockets.control, listeners.control))
            },
        ]
    }

    private static func settings(
        _ socket: Configuration.EventsSocket,
        _ listener: SocketListener
    ) -> EventsServer.Settings {
        var settings = EventsServer.Settings(listener: listener)
        let readers = policy(socket.access)
        settings.admits = { readers.admits($0) }
        settings.maximumConnections = socket.maxSubscribers
        settings.queueBytes = socket.queueBytes
        settings.writeDeadline = .seconds(socket.writeDeadlineSeconds)
        settings.heartbeatInterval = .seconds(socket.heartbeatIntervalSeconds)
        // Within what is left of the time to end.
        settings.stopGrace = .milliseconds(500)
        return settings
    }

    private static func settings(
        _ socket: Configuration.ControlSocket,
        _ listener: SocketListener
    ) -> ControlServer.Settings {
        var settings = ControlServer.Settings(listener: listener)
        let commanders = policy(socket.access)
        settings.admits = { commanders.admits($0) }
        return settings
    }

    private static func listener(
        _ access: Configuration.SocketAccess,
        _ configuration: Configuration
    ) -> SocketListener {
        let path = configuration.runtimePath(access.path)
        // systemd makes the folder; started by hand, the daemon does. What fails shows when the socket is bound.
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { mkdir(String(path[..<slash]), 0o755) }
        return .path(SocketPath(path, mode: UInt32(access.mode), groupID: access.allowedGroups.first.flatMap(groupID)))
    }

    /// Names that this machine does not know admit nobody.
    private static func policy(_ access: Configuration.SocketAccess) -> PeerPolicy {
        if access.allowedUsers.isEmpty && access.allowedGroups.isEmpty { return .anyone }
        var users = Set(access.allowedUsers.compactMap(userID))
        let groups = Set(access.allowedGroups.compactMap(groupID))
        // Two empty lists would admit everybody.
        if users.isEmpty && groups.isEmpty { users = [geteuid()] }
        return PeerPolicy(userIDs: users, groupIDs: groups)
    }

    private static func userID(_ name: String) -> UInt32? {
        UInt32(name) ?? getpwnam(name)?.pointee.pw_uid
    }

    private static func groupID(_ name: String) -> UInt32? {
        UInt32(name) ?? getgrnam(name)?.pointee.gr_gid
    }
}

/// A server on a socket, as a part of the daemon.
private struct ServerPart: DaemonPart {
    let starts: @Sendable () async throws -> Void
    let stops: @Sendable () async -> Void
    let applies: @Sendable (Configuration) -> Void

    init(
        start: @escaping @Sendable () async throws -> Void,
        stop: @escaping @Sendable () async -> Void,
        apply: @escaping @Sendable (Configuration) -> Void
    ) {
        (starts, stops, applies) = (start, stop, apply)
    }

    func start() async throws { try await starts() }
    func stop() async { await stops() }
    func apply(_ configuration: Configuration) async { applies(configuration) }
}
