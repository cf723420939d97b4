package import Events
internal import FoundationEssentials

/// How the daemon stands: the answer to `status`.
package struct DaemonStatus: Codable, Sendable {
    package var version: String
    package var instanceID: String
    package var startedAt: Timestamp
    package var uptimeSeconds: Double
    /// Sockets bound, and models loaded or known to be tried again.
    package var ready: Bool
    package var sources: [SourceState]
    /// Of all sources since the start.
    package var ledger: Ledger
    /// Absent where nothing is kept.
    package var journal: JournalState?
    package var subscribers: Int
    /// Absent where faces are not described.
    package var describer: DescriberState?
    /// Resident memory, MB.
    package var memoryMegabytes: Double

    /// What is missing until all works that is configured, a sentence each; a camera that is away is not missed.
    var missing: [String] {
        guard ready else { return ["the daemon is starting or ending"] }
        var sentences = sources.filter { $0.reason == SourceState.modelsUnavailable }
            .map { "the models that source \($0.name) needs cannot be loaded" }
        switch describer?.status {
        case "opening": sentences.append("the describer is being opened")
        case "failed": sentences.append("the describer cannot be opened: \(describer?.reason ?? "unknown")")
        default: break
        }
        return sentences
    }

    package enum CodingKeys: String, CodingKey {
        case version
        case instanceID = "instance_id"
        case startedAt = "started_at"
        case uptimeSeconds = "uptime_s"
        case ready
        case sources
        case ledger
        case journal
        case subscribers
        case describer
        case memoryMegabytes = "memory_mb"
    }

    package struct JournalState: Codable, Sendable, Hashable {
        package var failure: String?
        package var pendingLines: Int
        package var lostLines: Int
        package var fileBytes: Int
        package var oldest: Timestamp?

        package enum CodingKeys: String, CodingKey {
            case failure
            case pendingLines = "pending_lines"
            case lostLines = "lost_lines"
            case fileBytes = "file_bytes"
            case oldest
        }
    }

    package struct DescriberState: Codable, Sendable, Hashable {
        /// `opening`, `ready`, `failed`, or `stuck` at a question that it was told to leave.
        package var status: String
        package var model: String?
        package var precision: String?
        /// Why it failed.
        package var reason: String?
        /// Sources that wait for their turn.
        package var waitingSources: Int

        package enum CodingKeys: String, CodingKey {
            case status
            case model
            case precision
            case reason
            case waitingSources = "waiting_sources"
        }
    }
}

/// How a source stands.
package struct SourceState: Codable, Sendable, Hashable {
    /// Who named the source.
    package enum Origin: String, Codable, Sendable, Hashable {
        case configuration
        /// `sources.add`; kept in the state directory.
        case command
    }

    package var name: String
    package var origin = Origin.configuration
    /// As in `source.status`; `starting` before the first.
    package var status = "starting"
    package var reason: String?
    package var attempt: Int?
    /// Samples looked at in a second, lately.
    package var fps: Double?
    /// How far publication was behind the last picture.
    package var lagSeconds: Double?
    /// In the last sample.
    package var faces = 0
    /// That are being followed.
    package var tracks = 0
    package var lastFrameAt: Timestamp?
    package var ledger = Ledger()
    /// Samples that nobody had the time to look at.
    package var framesDropped = 0
    package var gaps = 0
    package var connections = 0
    /// Faces that wait for the describer.
    package var queue = 0
    package var epoch = 0

    /// The reason of a source whose networks could not be loaded; it is tried again.
    static let modelsUnavailable = "models_unavailable"

    package init(name: String) { self.name = name }

    package enum CodingKeys: String, CodingKey {
        case name
        case origin
        case status
        case reason
        case attempt
        case fps
        case lagSeconds = "lag_s"
        case faces
        case tracks
        case lastFrameAt = "last_frame_at"
        case ledger
        case framesDropped = "frames_dropped"
        case gaps
        case connections
        case queue
        case epoch
    }
}

/// Answers of the daemon as text.
enum ControlJSON {
    /// One line of JSON with its keys in order; an empty object where that cannot be.
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
