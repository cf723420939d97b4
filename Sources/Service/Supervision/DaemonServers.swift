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
        var events = EventsServer.Settings(
            listener: activated["events"] ?? listener(sockets.events.access, facts.configuration)
        )
        let readers = policy(sockets.events.access)
        events.admits = { readers.admits($0) }
        events.maximumConnections = sockets.events.maxSubscribers
        events.queueBytes = sockets.events.queueBytes
        events.writeDeadline = .seconds(sockets.events.writeDeadlineSeconds)
        events.heartbeatInterval = .seconds(sockets.events.heartbeatIntervalSeconds)
        // Within what is left of the time to end.
        events.stopGrace = .milliseconds(500)
        var control = ControlServer.Settings(
            listener: activated["control"] ?? listener(sockets.control.access, facts.configuration)
        )
        let commanders = policy(sockets.control.access)
        control.admits = { commanders.admits($0) }
        return [
            EventsServer(
                bus: facts.bus,
                settings: events,
                logger: logger,
                hello: facts.hello,
                heartbeat: facts.heartbeat
            ),
            ControlServer(settings: control, handler: facts.handler, logger: logger),
        ]
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

extension EventsServer: DaemonPart {}
extension ControlServer: DaemonPart {}
