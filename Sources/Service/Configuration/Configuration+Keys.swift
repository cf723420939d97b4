internal import Events

// The keys of the file in their order: names, ranges and what they mean, once for reading, dumps and documents.

extension Configuration {
    static let entries: [ConfigurationEntry<Configuration>] = [
        .section("daemon", \.daemon, Daemon.entries, "The process itself."),
        .section(
            "sockets",
            \.sockets,
            [
                .section("events", \.events, EventsSocket.entries, "Where subscribers read events."),
                .section("control", \.control, ControlSocket.entries, "Where commands are taken."),
            ],
            "The two Unix sockets. Who may read and who may command are different people."
        ),
        .section("journal", \.journal, Journal.entries, "Events on disk, from which subscribers resume."),
        .list(
            "sinks",
            \.sinks,
            Sink.entries,
            prototype: { _ in Sink() },
            limit: 16,
            effect: .reload,
            "Where events go besides the sockets; none by default."
        ),
        .section(
            "http",
            \.http,
            HTTP.entries,
            "Metrics, health and the viewer over HTTP: for this machine, or with a token for others."
        ),
        .section("engine", \.engine, Engine.entries, "FaceLLM, which describes faces in words."),
        .section(
            "perception",
            \.perception,
            Perception.entries,
            "The small networks that find and measure faces."
        ),
        // Before the sources, which begin with them.
        .section(
            "source_defaults",
            \.sourceDefaults,
            WatchSettings.entries,
            "How sources are watched; each source may say otherwise under the same names."
        ),
        .list(
            "sources",
            \.sources,
            SourceSettings.entries,
            prototype: { SourceSettings(watch: $0.sourceDefaults) },
            limit: 256,
            effect: .source,
            "What is watched. Besides the keys shown here an entry may have every key of source_defaults."
        ),
    ]
}

extension Configuration.Daemon {
    static let entries: [ConfigurationEntry<Self>] = [
        .value("instance_name", \.instanceName, TextFormat.name, "Tells daemons apart where their events meet."),
        .value(
            "state_directory",
            \.stateDirectory,
            TextFormat.absolutePath,
            systemVariable: "STATE_DIRECTORY",
            "What survives a restart: the journal and files of events."
        ),
        .value(
            "runtime_directory",
            \.runtimeDirectory,
            TextFormat.absolutePath,
            systemVariable: "RUNTIME_DIRECTORY",
            "Where the sockets are."
        ),
        .value("log_level", \.logLevel, WordFormat(), effect: .reload, "The least important messages to log."),
        .value(
            "log_format",
            \.logFormat,
            WordFormat(),
            "How log lines look: auto is journal under systemd, text elsewhere."
        ),
    ]
}

extension Configuration.SocketAccess {
    static let entries: [ConfigurationEntry<Self>] = [
        .value("path", \.path, TextFormat.path, "In the runtime directory unless it is absolute."),
        .value("mode", \.mode, ModeFormat(), "Permissions of the socket's file."),
        .value(
            "allowed_users",
            \.allowedUsers,
            ListFormat(TextFormat.account),
            effect: .reload,
            "Who may connect besides root and the daemon's own user. With both lists empty the mode decides alone."
        ),
        .value(
            "allowed_groups",
            \.allowedGroups,
            ListFormat(TextFormat.account),
            effect: .reload,
            "Members of these groups may connect too."
        ),
    ]
}

extension Configuration.EventsSocket {
    static let entries: [ConfigurationEntry<Self>] =
        Configuration.SocketAccess.entries.map { $0.lifted(\.access) } + [
            .value(
                "queue_bytes",
                \.queueBytes,
                IntegerFormat(range: 65_536...1_073_741_824),
                effect: .reload,
                "What may wait for one slow subscriber; past that it is told what it lost, or is cut off."
            ),
            .value(
                "write_deadline_s",
                \.writeDeadlineSeconds,
                NumberFormat(range: 0.1...3600),
                effect: .reload,
                "How long a subscriber may take nothing at all."
            ),
            .value(
                "heartbeat_interval_s",
                \.heartbeatIntervalSeconds,
                NumberFormat(range: 0.1...3600),
                effect: .reload,
                "How often a subscriber hears that all is well."
            ),
            .value(
                "max_subscribers",
                \.maxSubscribers,
                IntegerFormat(range: 1...100_000),
                effect: .reload,
                "Connections at once."
            ),
        ]
}

extension Configuration.ControlSocket {
    static let entries: [ConfigurationEntry<Self>] = Configuration.SocketAccess.entries.map { $0.lifted(\.access) }
}

extension Configuration.Journal {
    static let entries: [ConfigurationEntry<Self>] = [
        .value("enabled", \.enabled, ToggleFormat(), "Without it nothing is kept, and nobody can resume."),
        .value("path", \.path, TextFormat.path, "In the state directory unless it is absolute."),
        .value(
            "max_age_days",
            \.maxAgeDays,
            OptionalFormat(NumberFormat(range: 0.01...36_500)),
            effect: .reload,
            "Older events are deleted."
        ),
        .value(
            "max_size_mib",
            \.maxSizeMiB,
            IntegerFormat(range: 1...1_048_576),
            effect: .reload,
            "The oldest events are deleted to stay below it."
        ),
        .value(
            "durability",
            \.durability,
            WordFormat(),
            "What survives a loss of power: all but the last minute, or every transaction, which makes a slow disk "
                + "slower still. A killed daemon loses nothing either way."
        ),
    ]
}

extension Configuration.Sink {
    static let entries: [ConfigurationEntry<Self>] = [
        .value("kind", \.kind, WordFormat(), effect: .reload, "A file of JSON lines, or standard output."),
        .value(
            "path",
            \.path,
            OptionalFormat(TextFormat.path),
            effect: .reload,
            "Of a jsonl, where it must be given; in the state directory unless it is absolute."
        ),
        .value(
            "rotate_size_mib",
            \.rotateSizeMiB,
            IntegerFormat(range: 1...1_048_576),
            effect: .reload,
            "A larger file is put aside and a new one begun."
        ),
        .value(
            "rotate_keep",
            \.rotateKeep,
            IntegerFormat(range: 0...1000),
            effect: .reload,
            "Files that were put aside and stay."
        ),
        .value(
            "types",
            \.types,
            ListFormat(WordFormat<EventType>()),
            effect: .reload,
            "Only these types of events; [] for all."
        ),
        .value(
            "sources",
            \.sources,
            ListFormat(TextFormat.name),
            effect: .reload,
            "Only events of these sources; [] for all."
        ),
    ]
}

extension Configuration.HTTP {
    static let entries: [ConfigurationEntry<Self>] = [
        .value(
            "listen",
            \.listen,
            OptionalFormat(HTTPListenerFormat()),
            "Where /metrics, /healthz and /readyz are served."
        ),
        .value(
            "token_from",
            \.tokenFrom,
            OptionalFormat(SecretReferenceFormat()),
            "A token that requests must bring (Authorization: Bearer …)."
        ),
        .value(
            "viewer",
            \.viewer,
            ToggleFormat(),
            "Serve a page too that shows sources, faces and the last hour's events. With a token, open /?token=… once."
        ),
        .value(
            "viewer_pictures",
            \.viewerPictures,
            WordFormat(),
            "What the page shows of the video: clear, faces pixelated (those that were found), or none. Pictures are "
                + "kept in memory only."
        ),
    ]
}

extension Configuration.Perception {
    static let entries: [ConfigurationEntry<Self>] = [
        .value(
            "models_directory",
            \.modelsDirectory,
            OptionalFormat(TextFormat.absolutePath, none: "auto"),
            "The folder of the networks; auto is where scripts/setup put them."
        ),
        .value(
            "cache_directory",
            \.cacheDirectory,
            OptionalFormat(TextFormat.absolutePath, none: "auto"),
            "Where compiled networks are kept for the next start; auto is the usual place for caches."
        ),
    ]
}
