internal import Events
internal import Faces
internal import Imaging
internal import Video

/// From what the stages know to what an event says: units become ratios of the displayed frame.
enum EventRecords {
    static func frame(_ frame: VideoFrame) -> FrameRecord? {
        FrameRecord(
            index: frame.index,
            pts: frame.pts,
            timeBase: TimeBase(
                numerator: Int(frame.timeBase.numerator),
                denominator: Int(frame.timeBase.denominator)
            ),
            mediaTimeSeconds: frame.mediaTime,
            width: frame.picture.size.width,
            height: frame.picture.size.height,
            rotationDegrees: frame.rotationDegrees,
            keyframe: frame.isKeyframe,
            corrupt: frame.isCorrupt
        )
    }

    static func face(_ face: PerceivedFace, size: Size, withLandmarks: Bool) -> FaceRecord? {
        let w = Double(size.width), h = Double(size.height)
        guard
            let box = BoundingBox(
                left: Double(face.box.left) / w,
                top: Double(face.box.top) / h,
                width: Double(face.box.width) / w,
                height: Double(face.box.height) / h
            )
        else { return nil }
        let landmarks = withLandmarks ? face.mesh.map { self.landmarks($0, width: w, height: h) } : nil
        return FaceRecord(
            boundingBox: box,
            detectionConfidence: Double(face.score),
            pose: face.pose.flatMap(pose),
            quality: face.quality.map {
                QualityRecord(
                    unifiedScore: Double($0.unifiedScore),
                    sharpness: Double($0.sharpness),
                    illumination: Double($0.illumination),
                    interEyeDistance: Double($0.interEyeDistance)
                )
            },
            landmarks: landmarks
        )
    }

    static func pose(_ pose: HeadPose) -> PoseRecord? {
        PoseRecord(yawDegrees: Double(pose.yaw), pitchDegrees: Double(pose.pitch), rollDegrees: Double(pose.roll))
    }

    /// z in the scale of x.
    private static func landmarks(_ mesh: FaceMesh, width: Double, height: Double) -> [Landmark] {
        mesh.points.compactMap { Landmark(x: Double($0.x) / width, y: Double($0.y) / height, z: Double($0.z) / width) }
    }

    static func label(_ expression: Expression) -> ExpressionLabel {
        ExpressionLabel(rawValue: expression.rawValue) ?? .neutral
    }

    static func expression(_ scores: ExpressionScores, label: Expression) -> ExpressionRecord {
        var values: [ExpressionLabel: Double] = [:]
        for expression in Expression.allCases { values[self.label(expression)] = Double(scores[expression]) }
        return ExpressionRecord(
            label: self.label(label),
            scores: values,
            method: .classifier,
            confidence: Double(scores[label]),
            confidenceKind: .softmax,
            weak: label.isWeak
        )
    }

    static func expression(_ scores: ExpressionScores) -> ExpressionRecord {
        expression(scores, label: scores.best)
    }

    static func measures(_ measures: FaceMeasures) -> Measures {
        var values = Measures([
            .mouthOpenness: Double(measures.mouthOpenness),
            .mouthWidthRatio: Double(measures.mouthWidth),
            .browRaise: Double((measures.innerBrowHeight + measures.outerBrowHeight) / 2),
            .browFurrow: Double(FaceMeasures.usualBrowEndHeight - measures.browEndHeight),
            .smile: Double(measures.mouthCornerLift),
        ])
        values[.eyeOpennessRight] = measures.eyeOpennessRight.map(Double.init)
        values[.eyeOpennessLeft] = measures.eyeOpennessLeft.map(Double.init)
        return values
    }

    static func actionUnits(_ measures: FaceMeasures) -> ActionUnits {
        var units = ActionUnits()
        for (unit, intensity) in measures.actionUnits {
            if let name = ActionUnits.Name(rawValue: unit.rawValue + "_approx") { units[name] = Double(intensity) }
        }
        return units
    }
}
