/// Fields of `source.status`: a source changed its state.
package struct SourceStatus: Sendable, Hashable, Codable {
    /// The state that it is in now.
    package let status: Status
    /// Why, in words for an operator, without addresses and passwords; `"connection refused"`.
    package let reason: String?
    /// Number of the attempt to connect, from 1; absent outside connecting and reconnecting; `3`.
    package let attempt: Int?
    /// What the video is; absent until it is known.
    package let video: Video?

    /// The states of a source.
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case connecting
        /// Frames arrive.
        case online
        /// No packet has come for too long.
        case stalled
        /// Packets come, but the picture does not change.
        case frozen
        case reconnecting
        /// Stopped on command.
        case paused
        /// The media ended.
        case ended
        /// Given up.
        case failed
    }

    /// What a source sends: `video`.
    package struct Video: Sendable, Hashable, Codable {
        /// Name of the codec as FFmpeg spells it; `"h264"`.
        package let codec: String
        /// Width as displayed, pixels, ≥ 1; `1920`.
        package let width: Int
        /// Height as displayed, pixels, ≥ 1; `1080`.
        package let height: Int
        /// Average frame rate, frames per second, > 0; absent when unknown; `25`.
        package let framesPerSecond: Double?
        /// Name of the pixel format as FFmpeg spells it; `"yuv420p"`.
        package let pixelFormat: String?
        /// Clockwise turn for display: 0, 90, 180 or 270 degrees; `0`.
        package let rotationDegrees: Int

        package enum CodingKeys: String, CodingKey {
            case codec
            case width = "width_px"
            case height = "height_px"
            case framesPerSecond = "fps"
            case pixelFormat = "pixel_format"
            case rotationDegrees = "rotation_deg"
        }

        /// Rounds the frame rate and leaves out one that is not above 0.
        package init(
            codec: String,
            width: Int,
            height: Int,
            framesPerSecond: Double? = nil,
            pixelFormat: String? = nil,
            rotationDegrees: Int = 0
        ) {
            self.codec = codec
            self.width = width
            self.height = height
            self.framesPerSecond = NumberFormat.thousandths(framesPerSecond).flatMap { $0 > 0 ? $0 : nil }
            self.pixelFormat = pixelFormat
            self.rotationDegrees = rotationDegrees
        }
    }

    package init(status: Status, reason: String? = nil, attempt: Int? = nil, video: Video? = nil) {
        self.status = status
        self.reason = reason
        self.attempt = attempt
        self.video = video
    }
}

/// Fields of `gap`: media or delivery was lost.
package struct Gap: Sendable, Hashable, Codable {
    /// What was lost.
    package let scope: Scope
    /// Why, in one lower-case word; `"reconnect"`, `"decode_errors"`, `"slow_consumer"`, `"cursor_expired"`.
    package let reason: String
    /// Last media time before the gap, seconds; only for media; `61.2`.
    package let fromMediaTimeSeconds: Double?
    /// First media time after the gap, seconds; absent when the epoch changed; `64.0`.
    package let toMediaTimeSeconds: Double?
    /// First `seq` that was lost; only for delivery; `118`.
    package let fromSeq: Int?
    /// Last `seq` that was lost; only for delivery; `131`.
    package let toSeq: Int?
    /// Frames lost (media) or lines lost (delivery), ≥ 0; absent when nobody knows; `14`.
    package let lost: Int?

    /// What was lost.
    package enum Scope: String, Sendable, Hashable, Codable, CaseIterable {
        /// Frames of the source; the line is part of the journal.
        case media
        /// Lines to one subscriber; the line has no `seq`.
        case delivery
    }

    package enum CodingKeys: String, CodingKey {
        case scope
        case reason
        case fromMediaTimeSeconds = "from_media_time_s"
        case toMediaTimeSeconds = "to_media_time_s"
        case fromSeq = "from_seq"
        case toSeq = "to_seq"
        case lost
    }

    /// Frames were lost.
    package static func media(
        reason: String,
        fromSeconds: Double? = nil,
        toSeconds: Double? = nil,
        lost: Int? = nil
    ) -> Gap {
        Gap(
            scope: .media,
            reason: reason,
            fromMediaTimeSeconds: NumberFormat.seconds(fromSeconds),
            toMediaTimeSeconds: NumberFormat.seconds(toSeconds),
            fromSeq: nil,
            toSeq: nil,
            lost: lost
        )
    }

    /// Lines to one subscriber were lost.
    ///
    /// - Parameter lost: lines that the subscriber would have got, as far as that is known.
    package static func delivery(reason: String, fromSeq: Int? = nil, toSeq: Int? = nil, lost: Int?) -> Gap {
        Gap(
            scope: .delivery,
            reason: reason,
            fromMediaTimeSeconds: nil,
            toMediaTimeSeconds: nil,
            fromSeq: fromSeq,
            toSeq: toSeq,
            lost: lost
        )
    }
}

/// Fields of `error`: something failed that a subscriber should know.
package struct ErrorRecord: Sendable, Hashable, Codable {
    /// A lower-case word that programs can act on, words joined by `_`; `"decoder_failed"`.
    package let code: String
    /// The same for people, without addresses and passwords; `"the decoder gave up after 20 broken packets"`.
    package let message: String
    /// Whether the same may succeed later; `false`.
    package let retryable: Bool
    /// The request that could not be understood; only on the connection that sent it; `1`.
    package let requestID: RequestID?

    package enum CodingKeys: String, CodingKey {
        case code
        case message
        case retryable
        case requestID = "request_id"
    }

    package init(code: String, message: String, retryable: Bool, requestID: RequestID? = nil) {
        self.code = code
        self.message = message
        self.retryable = retryable
        self.requestID = requestID
    }
}
