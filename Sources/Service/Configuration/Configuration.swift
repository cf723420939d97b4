package import Events
package import FaceLLM

/// What the daemon does; what its file, environment and command line say, checked, and the defaults for the rest.
///
/// Never changes: a reload makes another one, and `ConfigurationDiff` tells what that means.
package struct Configuration: Sendable, Hashable {
    package var daemon = Daemon()
    package var sockets = Sockets()
    package var journal = Journal()
    package var sinks: [Sink] = []
    package var http = HTTP()
    package var engine = Engine()
    package var perception = Perception()
    /// What sources are watched with where they do not say otherwise; `sources` has it already.
    package var sourceDefaults = WatchSettings()
    package var sources: [SourceSettings] = []

    package init() {}

    package struct Daemon: Sendable, Hashable {
        /// Tells daemons apart where their events meet.
        package var instanceName = "facellmd"
        package var stateDirectory = "/var/lib/facellm"
        package var runtimeDirectory = "/run/facellm"
        package var logLevel = LogLevel.info
        package var logFormat = LogFormat.auto
    }

    package enum LogLevel: String, Sendable, Hashable, CaseIterable {
        case trace, debug, info, notice, warning, error
    }

    package enum LogFormat: String, Sendable, Hashable, CaseIterable {
        /// `journal` under systemd, `text` elsewhere.
        case auto
        case text
        /// With the priorities that journald reads.
        case journal
        case json
    }

    package struct Sockets: Sendable, Hashable {
        package var events = EventsSocket()
        package var control = ControlSocket()
    }

    /// Whom a socket lets in.
    package struct SocketAccess: Sendable, Hashable {
        /// In the runtime directory unless it is absolute.
        package var path: String
        package var mode = 0o660
        /// With both lists empty the file's mode decides alone.
        package var allowedUsers: [String] = []
        package var allowedGroups: [String] = []
    }

    package struct EventsSocket: Sendable, Hashable {
        package var access = SocketAccess(path: "events.sock")
        /// What may wait for one subscriber.
        package var queueBytes = 4 << 20
        package var writeDeadlineSeconds = 10.0
        package var heartbeatIntervalSeconds = 10.0
        package var maxSubscribers = 1024
    }

    package struct ControlSocket: Sendable, Hashable {
        package var access = SocketAccess(path: "control.sock")
    }

    package struct Journal: Sendable, Hashable {
        package var enabled = true
        /// In the state directory unless it is absolute.
        package var path = "journal.sqlite"
        /// Nil keeps lines for ever.
        package var maxAgeDays: Double? = 30
        package var maxSizeMiB = 1024
        package var durability = Durability.lastMinute
    }

    /// What of the journal survives a loss of power.
    package enum Durability: String, Sendable, Hashable, CaseIterable {
        case lastMinute = "last_minute"
        case everyTransaction = "every_transaction"
    }

    /// Where events go besides the sockets.
    package struct Sink: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, CaseIterable { case jsonl, stdout }

        package var kind = Kind.jsonl
        /// Of a `jsonl`; in the state directory unless it is absolute.
        package var path: String?
        package var rotateSizeMiB = 64
        package var rotateKeep = 4
        /// Empty for all.
        package var types: [EventType] = []
        /// Names; empty for all.
        package var sources: [String] = []

        package init() {}
    }

    package struct HTTP: Sendable, Hashable {
        /// Nil serves nothing.
        package var listen: HTTPListener?
        package var tokenFrom: SecretReference?
        /// What `tokenFrom` led to.
        package var token: Secret?
        /// Whether the page is served too.
        package var viewer = false
        package var viewerPictures = ViewerPictures.clear
    }

    package struct Engine: Sendable, Hashable {
        /// Nil for perception alone.
        package var modelDirectory: String?
        package var adapters: [String] = []
        /// Nil for one a core.
        package var threads: Int?
        package var visionPrecision = WeightPrecision.int8
        package var textPrecision = WeightPrecision.int8
        /// Nil for the usual place.
        package var cacheDirectory: String?
        package var queueCapacity = 16
        package var timeoutSeconds = 120.0
        package var cropLifetimeSeconds = 15.0
        package var refreshIntervalSeconds = 60.0
        package var changeSpacingSeconds = 3.0
        package var patienceSeconds = 1.0
        /// A trained question's name or a text; nil asks for no sentence.
        package var question: String? = FaceQuestion.release.rawValue
        /// Names of built-in fields and of `userFields`.
        package var fields = FieldCatalogue.builtIn.fields.map(\.name)
        package var userFields: [FieldDefinition] = []
    }

    package struct Perception: Sendable, Hashable {
        /// Nil for where `scripts/setup` put them.
        package var modelsDirectory: String?
        /// Nil for the usual place.
        package var cacheDirectory: String?
    }

    // MARK: - Places

    /// A path of a file that is kept.
    package func statePath(_ path: String) -> String { Self.path(path, in: daemon.stateDirectory) }

    /// A path of a socket.
    package func runtimePath(_ path: String) -> String { Self.path(path, in: daemon.runtimeDirectory) }

    private static func path(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }
}
