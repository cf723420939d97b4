/// A face in one frame, as perception measured it: `face`.
package struct FaceRecord: Sendable, Hashable, Codable {
    /// Where the face is.
    package let boundingBox: BoundingBox
    /// How sure the detector is of it, 0–1; absent for a face that was followed, not detected; `0.9731`.
    package let detectionConfidence: Double?
    /// How the head is turned; absent when it was not measured.
    package let pose: PoseRecord?
    /// How well the face can be seen; absent when it was not measured.
    package let quality: QualityRecord?
    /// Points of the mesh in the order of its model; only where asked for.
    package let landmarks: [Landmark]?

    package enum CodingKeys: String, CodingKey {
        case boundingBox = "bounding_box"
        case detectionConfidence = "detection_confidence"
        case pose
        case quality
        case landmarks
    }

    package init(
        boundingBox: BoundingBox,
        detectionConfidence: Double? = nil,
        pose: PoseRecord? = nil,
        quality: QualityRecord? = nil,
        landmarks: [Landmark]? = nil
    ) {
        self.boundingBox = boundingBox
        self.detectionConfidence = NumberFormat.probability(detectionConfidence)
        self.pose = pose
        self.quality = quality
        self.landmarks = landmarks
    }

    /// The same face in short.
    package var withoutLandmarks: FaceRecord {
        FaceRecord(
            boundingBox: boundingBox,
            detectionConfidence: detectionConfidence,
            pose: pose,
            quality: quality
        )
    }
}

/// A rectangle in ratios of the displayed frame, origin at the top left: `bounding_box`.
///
/// It may reach over the edge of the frame: a face that is cut off has a `left` below 0 or a right edge above 1.
package struct BoundingBox: Sendable, Hashable, Codable {
    /// Left edge, ratio of the width; `0.41251`.
    package let left: Double
    /// Upper edge, ratio of the height; `0.2037`.
    package let top: Double
    /// Ratio of the width, > 0; `0.08333`.
    package let width: Double
    /// Ratio of the height, > 0; `0.14815`.
    package let height: Double

    /// Rounds the edges; `nil` when one is not finite or the rectangle is empty.
    package init?(left: Double, top: Double, width: Double, height: Double) {
        guard let left = NumberFormat.ratio(left), let top = NumberFormat.ratio(top),
            let width = NumberFormat.ratio(width), let height = NumberFormat.ratio(height),
            width > 0, height > 0
        else { return nil }
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }
}

/// The direction of a head: `pose`.
///
/// Frontal and upright is zero.
package struct PoseRecord: Sendable, Hashable, Codable {
    /// Degrees, −180…180, above 0 when the face turns towards the right edge of the image; `-12.5`.
    package let yawDegrees: Double
    /// Degrees, −180…180, above 0 when it looks up; `4.25`.
    package let pitchDegrees: Double
    /// Degrees, −180…180, above 0 when it tilts clockwise as the viewer sees it; `1.8`.
    package let rollDegrees: Double
    /// What it was computed with.
    package let method: Method

    /// How a pose was found.
    package enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        /// From landmarks and a model of the head.
        case geometry
        /// By a network that answers with angles.
        case regressor
    }

    package enum CodingKeys: String, CodingKey {
        case yawDegrees = "yaw_deg"
        case pitchDegrees = "pitch_deg"
        case rollDegrees = "roll_deg"
        case method
    }

    /// Rounds the angles; `nil` when one is not finite: such a pose was not measured.
    package init?(yawDegrees: Double, pitchDegrees: Double, rollDegrees: Double, method: Method = .geometry) {
        guard let yaw = NumberFormat.degrees(yawDegrees), let pitch = NumberFormat.degrees(pitchDegrees),
            let roll = NumberFormat.degrees(rollDegrees)
        else { return nil }
        self.yawDegrees = yaw
        self.pitchDegrees = pitch
        self.rollDegrees = roll
        self.method = method
    }
}

/// How well a face can be seen: `quality`.
package struct QualityRecord: Sendable, Hashable, Codable {
    /// One number for all of it, 0–100, larger is better; `71.5`.
    package let unifiedScore: Double?
    /// Sharpness of the crop, ≥ 0, larger is sharper; comparable under the same `provenance` only; `38.2`.
    package let sharpness: Double?
    /// Lightness of the face, ≥ 0, larger is lighter; comparable under the same `provenance` only; `0.462`.
    package let illumination: Double?
    /// Distance between the centres of the eyes, pixels of the displayed frame, ≥ 0; `64.5`.
    package let interEyeDistance: Double?

    package enum CodingKeys: String, CodingKey {
        case unifiedScore = "unified_score"
        case sharpness
        case illumination
        case interEyeDistance = "inter_eye_distance_px"
    }

    package init(
        unifiedScore: Double? = nil,
        sharpness: Double? = nil,
        illumination: Double? = nil,
        interEyeDistance: Double? = nil
    ) {
        self.unifiedScore = NumberFormat.tenths(unifiedScore)
        self.sharpness = NumberFormat.thousandths(sharpness)
        self.illumination = NumberFormat.thousandths(illumination)
        self.interEyeDistance = NumberFormat.tenths(interEyeDistance)
    }
}

/// A point of the face mesh; in JSON `[x, y, z]`.
package struct Landmark: Sendable, Hashable, Codable {
    /// Ratio of the displayed width, from the left; `0.4512`.
    package let x: Double
    /// Ratio of the displayed height, from the top; `0.27041`.
    package let y: Double
    /// Depth in the scale of `x`, smaller is nearer to the camera; `-0.0123`.
    package let z: Double

    /// Rounds the coordinates; `nil` when one is not finite.
    package init?(x: Double, y: Double, z: Double) {
        guard let x = NumberFormat.ratio(x), let y = NumberFormat.ratio(y), let z = NumberFormat.ratio(z) else {
            return nil
        }
        self.x = x
        self.y = y
        self.z = z
    }

    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        x = try container.decode(Double.self)
        y = try container.decode(Double.self)
        z = try container.decode(Double.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(x)
        try container.encode(y)
        try container.encode(z)
    }
}
