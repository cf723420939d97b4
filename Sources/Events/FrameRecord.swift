/// The frame that a face was seen in: `frame`.
package struct FrameRecord: Sendable, Hashable, Codable {
    /// Number of the frame in decode order, from 0; exact only when every frame is decoded; `250`.
    package let index: Int
    /// Presentation timestamp in units of `time_base`; absent when the stream states none; `128000`.
    package let pts: Int64?
    /// Unit of `pts` in seconds as `[numerator, denominator]`; `[1, 12800]`.
    package let timeBase: TimeBase?
    /// Presentation time minus the start of the stream, seconds, ≥ 0 but for frames before the start; `10.0`.
    package let mediaTimeSeconds: Double
    /// Width as displayed, after rotation, pixels, ≥ 1; `1920`.
    package let width: Int
    /// Height as displayed, after rotation, pixels, ≥ 1; `1080`.
    package let height: Int
    /// Clockwise turn that was applied for display: 0, 90, 180 or 270 degrees; `0`.
    package let rotationDegrees: Int
    /// Whether the decoder marked it as a keyframe; absent when unknown; `true`.
    package let keyframe: Bool?
    /// Whether the decoder reported errors in it; what was measured is then doubtful; `false`.
    package let corrupt: Bool

    package enum CodingKeys: String, CodingKey {
        case index
        case pts
        case timeBase = "time_base"
        case mediaTimeSeconds = "media_time_s"
        case width = "width_px"
        case height = "height_px"
        case rotationDegrees = "rotation_deg"
        case keyframe
        case corrupt
    }

    /// Describes a frame; `nil` when the media time is not finite, for such a frame has no place in a timeline.
    package init?(
        index: Int,
        pts: Int64?,
        timeBase: TimeBase?,
        mediaTimeSeconds: Double,
        width: Int,
        height: Int,
        rotationDegrees: Int = 0,
        keyframe: Bool? = nil,
        corrupt: Bool = false
    ) {
        guard let mediaTimeSeconds = NumberFormat.seconds(mediaTimeSeconds) else { return nil }
        self.index = index
        self.pts = pts
        self.timeBase = timeBase
        self.mediaTimeSeconds = mediaTimeSeconds
        self.width = width
        self.height = height
        self.rotationDegrees = rotationDegrees
        self.keyframe = keyframe
        self.corrupt = corrupt
    }
}

/// The unit of timestamps as a fraction of a second; in JSON `[numerator, denominator]`.
package struct TimeBase: Sendable, Hashable, Codable {
    /// ≥ 1; `1`.
    package let numerator: Int
    /// ≥ 1; `12800`.
    package let denominator: Int

    package init(numerator: Int, denominator: Int) {
        self.numerator = numerator
        self.denominator = denominator
    }

    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        numerator = try container.decode(Int.self)
        denominator = try container.decode(Int.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(numerator)
        try container.encode(denominator)
    }
}
