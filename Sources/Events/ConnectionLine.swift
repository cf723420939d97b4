/// A line that only one connection gets and that is in no journal: an envelope without `seq` and the fields of its type.
///
/// Gaps of delivery and errors for one connection are made by `EventFactory.makeUnnumbered(_:source:)`.
package struct ConnectionLine: Sendable, Hashable {
    package let envelope: Envelope
    package let payload: Payload

    package enum Payload: Sendable, Hashable {
        case hello(Hello)
        case heartbeat(Heartbeat)
        case reply(Reply)
    }

    /// - Parameters:
    ///   - instanceID: of the daemon that answers.
    ///   - publishedAt: when the line was made.
    ///   - source: the one source that it is about, if any.
    package init(_ payload: Payload, instanceID: String, publishedAt: Timestamp, source: String? = nil) {
        envelope = Envelope(instanceID: instanceID, publishedAt: publishedAt, source: source)
        self.payload = payload
    }

    /// The name of the type as it stands in the line.
    package var type: String {
        switch payload {
        case .hello: TypeName.hello.rawValue
        case .heartbeat: TypeName.heartbeat.rawValue
        case .reply: TypeName.reply.rawValue
        }
    }
}

/// Fields of `hello`: the first line of a connection.
package struct Hello: Sendable, Hashable, Codable {
    /// Versions by name, one at least; `{"facellm": "0.1.0"}`.
    package let versions: [String: String]
    /// Names of the sources; `["door", "yard"]`.
    package let sources: [String]
    /// What makes the values of the lines to come, by `provenance_id`.
    package let provenance: [String: Provenance]
    /// What a reader must know about the data, at most 4096 characters; `"Faces are described automatically …"`.
    package let notice: String?

    package init(
        versions: [String: String],
        sources: [String],
        provenance: [String: Provenance] = [:],
        notice: String? = nil
    ) {
        self.versions = versions
        self.sources = sources
        self.provenance = provenance
        self.notice = notice
    }
}

/// Fields of `heartbeat`: the connection is alive, and the counters stand so.
package struct Heartbeat: Sendable, Hashable, Codable {
    /// The counters of all sources together.
    package let ledger: Ledger
    /// How far publication is behind arrival, seconds, ≥ 0; absent without a live source; `0.21`.
    package let lagSeconds: Double?
    /// Media time up to which everything has been published, seconds; absent with several sources; `61.2`.
    package let watermarkMediaTimeSeconds: Double?

    package enum CodingKeys: String, CodingKey {
        case ledger
        case lagSeconds = "lag_s"
        case watermarkMediaTimeSeconds = "watermark_media_time_s"
    }

    package init(ledger: Ledger, lagSeconds: Double? = nil, watermarkMediaTimeSeconds: Double? = nil) {
        self.ledger = ledger
        self.lagSeconds = NumberFormat.thousandths(lagSeconds).map { max(0, $0) }
        self.watermarkMediaTimeSeconds = NumberFormat.seconds(watermarkMediaTimeSeconds)
    }
}

/// Fields of `reply`: the answer to one request.
package struct Reply: Sendable, Hashable, Codable {
    /// As it came with the request; `1`.
    package let requestID: RequestID
    /// Whether it was done; `true`.
    package let ok: Bool
    /// Why not; absent when it was done.
    package let error: Failure?

    /// Why a request was not carried out.
    package struct Failure: Sendable, Hashable, Codable {
        /// What programs can act on; `"unknown_source"`.
        package let code: String
        /// The same for people.
        package let message: String
        /// Whether the same may succeed later; absent when unknown.
        package let retryable: Bool?
    }

    package enum CodingKeys: String, CodingKey {
        case requestID = "request_id"
        case ok
        case error
    }

    /// Says that a request was carried out.
    package init(to requestID: RequestID) {
        self.requestID = requestID
        ok = true
        error = nil
    }

    /// Says that a request was not carried out.
    package init(to requestID: RequestID, code: String, message: String, retryable: Bool? = nil) {
        self.requestID = requestID
        ok = false
        error = Failure(code: code, message: message, retryable: retryable)
    }
}

// MARK: - Codable

extension ConnectionLine: Codable {
    private enum TypeName: String, Codable {
        case hello
        case heartbeat
        case reply
    }

    private enum CodingKeys: String, CodingKey {
        case type
    }

    /// - Throws: `DecodingError` for a line of another type.
    package init(from decoder: any Decoder) throws {
        envelope = try Envelope(from: decoder)
        payload =
            switch try decoder.container(keyedBy: CodingKeys.self).decode(TypeName.self, forKey: .type) {
            case .hello: .hello(try Hello(from: decoder))
            case .heartbeat: .heartbeat(try Heartbeat(from: decoder))
            case .reply: .reply(try Reply(from: decoder))
            }
    }

    package func encode(to encoder: any Encoder) throws {
        try envelope.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        switch payload {
        case .hello(let fields): try fields.encode(to: encoder)
        case .heartbeat(let fields): try fields.encode(to: encoder)
        case .reply(let fields): try fields.encode(to: encoder)
        }
    }
}
