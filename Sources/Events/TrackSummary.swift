extension TrackEnd {
    /// What was seen of a face over its whole track; the fields stand in `track.ended` itself.
    package struct Summary: Sendable, Hashable, Codable {
        /// The expression shown for most of the time; `"neutral"`.
        package let dominantExpression: ExpressionLabel?
        /// Label → share of the track's time, 0–1, together 1; `{"happy": 0.25, "neutral": 0.75}`.
        package let expressionShares: [ExpressionLabel: Double]?
        /// Median of each angle on its own.
        package let medianPose: PoseRecord?
        /// Smallest and largest of each angle.
        package let poseRange: PoseRange?
        /// Attributes over the whole track: `apparent_age_years`, `apparent_gender` and others that hold for long.
        package let attributes: [AttributeName: AttributeRecord]?
        /// The observation in which the face could be seen best.
        package let bestShot: BestShot?
        /// The track in words.
        package let description: DescriptionRecord?

        package enum CodingKeys: String, CodingKey {
            case dominantExpression = "dominant_expression"
            case expressionShares = "expression_shares"
            case medianPose = "median_pose"
            case poseRange = "pose_range"
            case attributes
            case bestShot = "best_shot"
            case description
        }

        package init(
            dominantExpression: ExpressionLabel? = nil,
            expressionShares: [ExpressionLabel: Double]? = nil,
            medianPose: PoseRecord? = nil,
            poseRange: PoseRange? = nil,
            attributes: [AttributeName: AttributeRecord]? = nil,
            bestShot: BestShot? = nil,
            description: DescriptionRecord? = nil
        ) {
            self.dominantExpression = dominantExpression
            self.expressionShares = expressionShares.map { NumberFormat.probability($0) }
            self.medianPose = medianPose
            self.poseRange = poseRange
            self.attributes = attributes
            self.bestShot = bestShot
            self.description = description
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            dominantExpression = try container.decodeIfPresent(ExpressionLabel.self, forKey: .dominantExpression)
            expressionShares = try container.decodeKnownKeysIfPresent(forKey: .expressionShares)
            medianPose = try container.decodeIfPresent(PoseRecord.self, forKey: .medianPose)
            poseRange = try container.decodeIfPresent(PoseRange.self, forKey: .poseRange)
            attributes = try container.decodeKnownKeysIfPresent(forKey: .attributes)
            bestShot = try container.decodeIfPresent(BestShot.self, forKey: .bestShot)
            description = try container.decodeIfPresent(DescriptionRecord.self, forKey: .description)
        }
    }

    /// Smallest and largest angles of a track: `pose_range`, signs as in `pose`.
    package struct PoseRange: Sendable, Hashable, Codable {
        /// Degrees; `{"max": 21.5, "min": -12.0}`.
        package let yawDegrees: AngleRange
        /// Degrees.
        package let pitchDegrees: AngleRange
        /// Degrees.
        package let rollDegrees: AngleRange

        package enum CodingKeys: String, CodingKey {
            case yawDegrees = "yaw_deg"
            case pitchDegrees = "pitch_deg"
            case rollDegrees = "roll_deg"
        }

        /// Rounds the angles; `nil` when one is not finite.
        package init?(yaw: ClosedRange<Double>, pitch: ClosedRange<Double>, roll: ClosedRange<Double>) {
            guard let yaw = AngleRange(yaw), let pitch = AngleRange(pitch), let roll = AngleRange(roll) else {
                return nil
            }
            yawDegrees = yaw
            pitchDegrees = pitch
            rollDegrees = roll
        }
    }

    /// Two angles in degrees, −180…180.
    package struct AngleRange: Sendable, Hashable, Codable {
        /// Not above `max`; `-12.0`.
        package let min: Double
        /// Not below `min`; `21.5`.
        package let max: Double

        /// Rounds the angles; `nil` when one is not finite.
        package init?(_ range: ClosedRange<Double>) {
            guard let min = NumberFormat.degrees(range.lowerBound), let max = NumberFormat.degrees(range.upperBound)
            else { return nil }
            self.min = min
            self.max = max
        }
    }

    /// Where to look for the best picture of a face: `best_shot`.
    package struct BestShot: Sendable, Hashable, Codable {
        /// Media time of the frame, seconds; `12.4`.
        package let mediaTimeSeconds: Double
        /// `index` of the frame; `310`.
        package let frameIndex: Int
        /// The `unified_score` of the face in it, 0–100; `83.1`.
        package let quality: Double

        package enum CodingKeys: String, CodingKey {
            case mediaTimeSeconds = "media_time_s"
            case frameIndex = "frame_index"
            case quality
        }

        /// Rounds the numbers; `nil` when one is not finite.
        package init?(mediaTimeSeconds: Double, frameIndex: Int, quality: Double) {
            guard let time = NumberFormat.seconds(mediaTimeSeconds), let quality = NumberFormat.tenths(quality) else {
                return nil
            }
            self.mediaTimeSeconds = time
            self.frameIndex = frameIndex
            self.quality = quality
        }
    }
}
