import Events
import FaceLLM
import Foundation
import Service
import Testing
import Video

@Suite("Configuration: reading")
struct ConfigurationReadingTests {
    @Test func nothingGivesDefaults() throws {
        for text in [
            "", "\n# only prose\n", "daemon:\nsockets:\n  events:\nsources:\n", "---\n...\n", "\u{FEFF}daemon:\r\n",
        ] {
            #expect(try load(text).configuration == Configuration())
        }
    }

    @Test func defaultsAreThoseOfTheStages() throws {
        let limits = WatchSettings().limits
        let deadlines = IngestDeadlines()
        #expect(limits.connectSeconds == deadlines.connect && limits.probeSeconds == deadlines.probe)
        #expect(limits.firstFrameSeconds == deadlines.firstFrame && limits.readSeconds == deadlines.read)
        let live = LiveSource.Options(reader: .init(input: .url("rtsp://h")))
        #expect(limits.stalledAfterSeconds == live.stallAfter && limits.frozenAfterSeconds == live.frozenAfter)
        #expect(limits.reconnectFirstSeconds == live.pace.first && limits.reconnectLongestSeconds == live.pace.longest)
        #expect(Configuration().engine.fields == FieldCatalogue.builtIn.fields.map(\.name))
    }

    @Test func valuesArrive() throws {
        let configuration = try load(
            """
            daemon: {log_level: debug, log_format: json}
            sockets:
              events: {mode: "0600", allowed_groups: [video, 1000], queue_bytes: 65536, write_deadline_s: 2.5}
            journal:
              max_age_days: none
            sinks:
              - {kind: jsonl, path: events.jsonl, types: [track.started, track.ended], sources: [door]}
              - kind: stdout
            http:
              listen: "[::1]:9464"
            source_defaults:
              sample_fps: 2
              describe: {max_per_track: 3}
            sources:
              - name: door
                url: rtsp://camera.example/1
                transport: udp
                zones: [[[0, 0], [1, 0], [0.5, 1]]]
                schedule: [mon-fri 08:00-18:00, "sat,sun 22:00-02:00"]
              - name: yard
                url: /dev/video0
                sampling: keyframes
                sample_fps: 7.5
                tiling: 3
                describe: {enabled: false}
            """
        ).configuration
        #expect(configuration.daemon.logLevel == .debug)
        #expect(configuration.sockets.events.access.mode == 0o600)
        #expect(configuration.sockets.events.access.allowedGroups == ["video", "1000"])
        #expect(configuration.sockets.events.queueBytes == 65_536)
        #expect(configuration.journal.maxAgeDays == nil)
        #expect(configuration.sinks.map(\.kind) == [.jsonl, .stdout])
        #expect(configuration.sinks[0].types == [.trackStarted, .trackEnded])
        #expect(configuration.http.listen == .tcp(host: "[::1]", port: 9464))
        let door = configuration.sources[0], yard = configuration.sources[1]
        #expect(door.watch.sampleFPS == 2 && door.watch.describe.maxPerTrack == 3 && door.watch.transport == .udp)
        #expect(door.watch.zones[0].contains(.init(0.5, 0.5)))
        #expect(!door.watch.zones[0].contains(.init(0.1, 0.9)))
        #expect(yard.watch.sampleFPS == 7.5 && yard.watch.describe.maxPerTrack == 3 && !yard.watch.describe.enabled)
        #expect(yard.address?.input() == .device("/dev/video0"))
        #expect(yard.watch.sampling == .keyframes && yard.watch.tiling == .across(3))
        #expect(configuration.statePath("a.db") == "/var/lib/facellm/a.db")
        #expect(configuration.runtimePath("/x/a.sock") == "/x/a.sock")
    }

    @Test func schedulesGoOverMidnightAndTheWeek() throws {
        let windows = try load(
            "source_defaults:\n  schedule: [sun-mon 22:00-02:00, wed 00:00-24:00]"
        ).configuration.sourceDefaults.schedule
        let open: [(TimeWindow.Day, Int)] = [
            (.sun, 1320), (.mon, 0), (.mon, 1439), (.tue, 119), (.wed, 0), (.wed, 1439),
        ]
        let closed: [(TimeWindow.Day, Int)] = [(.sun, 1319), (.sun, 0), (.mon, 120), (.tue, 120), (.thu, 0)]
        for (day, minute) in open { #expect(windows.isOpen(day, minute: minute), "\(day) \(minute)") }
        for (day, minute) in closed { #expect(!windows.isOpen(day, minute: minute), "\(day) \(minute)") }
        #expect([TimeWindow]().isOpen(.mon, minute: 0))
    }

    @Test func fieldsOfTheUserAreRead() throws {
        let engine = try load(
            """
            engine:
              fields: [eyes, earrings]
              user_fields:
                - name: earrings
                  stem: The person wears
                  options: [{value: none, phrase: no earrings}, {value: earrings}]
                  asked_when: {field: eyes, values: [open]}
            """
        ).configuration.engine
        #expect(engine.userFields.map(\.name) == ["earrings"])
        #expect(engine.userFields[0].options.map(\.phrase) == ["no earrings", nil])
        #expect(engine.userFields[0].askedWhen == .init(field: "eyes", values: ["open"]))
    }

    @Test func anchorsAreSharedValues() throws {
        let sources = try load(
            """
            sources:
              - {name: a, url: /a.mp4, zones: &whole [[[0, 0], [1, 0], [1, 1]]]}
              - {name: b, url: /b.mp4, zones: *whole}
            """
        ).configuration.sources
        #expect(sources[0].watch.zones == sources[1].watch.zones && sources[0].watch.zones.count == 1)
    }

    // MARK: - Precedence

    @Test func strongerWins() throws {
        let file = "daemon: {log_level: debug, instance_name: file, state_directory: /file}\n"
        let environment = [
            "FACELLM_DAEMON_LOG_LEVEL": "warning", "FACELLM_DAEMON_INSTANCE_NAME": "environment",
            "STATE_DIRECTORY": "/systemd", "RUNTIME_DIRECTORY": "/run/a:/run/b",
            "FACELLM_SOURCE_DEFAULTS_ATTRIBUTES": "eyes, mouth",
            "FACELLM_SOURCE_DEFAULTS_ZONES": "[[[0,0],[1,0],[1,1]]]",
            "FACELLM_MODELS": "/elsewhere", "FACELLM_JOURNAL_PATH": "",
        ]
        let loaded = try load(file, environment: environment, flags: ["daemon.log_level": "error"])
        let daemon = loaded.configuration.daemon
        #expect(daemon.logLevel == .error && daemon.instanceName == "environment")
        #expect(daemon.stateDirectory == "/file" && daemon.runtimeDirectory == "/run/a")
        #expect(loaded.configuration.sourceDefaults.attributes == [.eyes, .mouth])
        #expect(loaded.configuration.sourceDefaults.zones.count == 1)
        #expect(loaded.configuration.journal.path == "journal.sqlite")
        #expect(loaded.origins["daemon.log_level"] == .flag("daemon.log_level"))
        #expect(loaded.origins["daemon.instance_name"] == .environment("FACELLM_DAEMON_INSTANCE_NAME"))
        #expect(loaded.origins["daemon.runtime_directory"] == .system("RUNTIME_DIRECTORY"))
        #expect(loaded.origins["daemon.state_directory"] == .file(line: 1, column: 66))
    }

    @Test func unknownVariablesAndFlagsAreErrors() {
        #expect(
            problems("", environment: ["FACELLM_DAEMON_LOGLEVEL": "info"])
                == [
                    "environment FACELLM_DAEMON_LOGLEVEL: no key has this variable; did you mean FACELLM_DAEMON_LOG_LEVEL?"
                ]
        )
        #expect(
            problems("", flags: ["deamon.log_level": "info"])
                == ["command line deamon.log_level: there is no such key; did you mean daemon.log_level?"]
        )
        #expect(
            problems("", environment: ["FACELLM_JOURNAL_MAX_SIZE_MIB": "1e9"]).first?
                .hasPrefix("environment FACELLM_JOURNAL_MAX_SIZE_MIB: journal.max_size_mib: expected whole number")
                == true
        )
    }
}
