package import Events

/// One row for each `face.observation`.
///
/// Columns have the names of OpenFace or Py-Feat where these have one for the same thing in the same unit.
package enum ObservationTable {
    /// OpenFace's names of action units, with ours.
    private static let units: [(column: String, unit: ActionUnits.Name)] = ActionUnits.Name.allCases.map {
        (String($0.rawValue.prefix { $0 != "_" }) + "_r", $0)
    }

    /// Py-Feat's names of emotions, with our expressions; it has none for the last.
    static let emotions: [(column: String, label: ExpressionLabel)] = [
        ("anger", .angry), ("disgust", .disgusted), ("fear", .fearful), ("happiness", .happy), ("sadness", .sad),
        ("surprise", .surprised), ("neutral", .neutral), ("contempt", .contemptuous),
    ]

    /// The first row.
    package static let header = CSV.row(
        (["instance_id", "source", "epoch", "track_id", "face_id", "frame", "timestamp", "confidence", "success"]
            + ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
            + ["pose_Rx", "pose_Ry", "pose_Rz", "yaw_deg", "pitch_deg", "roll_deg"]
            + emotions.map(\.column) + ["expression"] + units.map(\.column) + Measures.Name.allCases.map(\.rawValue)
            + ["quality", "sharpness", "illumination", "inter_eye_distance_px", "width_px", "height_px", "corrupt"])
            .map { .text($0) }
    )

    /// The row of an event; nil where it is none of a face in a frame.
    package static func row(_ event: Event) -> String? {
        guard case .faceObservation(let observation) = event.payload else { return nil }
        let (frame, face) = (observation.frame, observation.face)
        let box = face.boundingBox
        let (width, height) = (Double(frame.width), Double(frame.height))
        let rotation = face.pose.map(HeadRotation.init)
        var fields: [CSV.Field] = [
            .init(event.envelope.instanceID), .init(event.envelope.source), .init(event.envelope.epoch),
            .init(observation.trackID), .init(observation.trackID.flatMap(faceID)),
            .whole(frame.index), .number(frame.mediaTimeSeconds), .init(face.detectionConfidence),
            .whole(face.pose == nil ? 0 : 1),
        ]
        fields += [box.left * width, box.top * height, box.width * width, box.height * height].map {
            .init(NumberFormat.hundredths($0))
        }
        fields.append(.init(face.detectionConfidence))
        fields += [rotation?.rx, rotation?.ry, rotation?.rz].map { .init(NumberFormat.ratio($0)) }
        fields += [face.pose?.yawDegrees, face.pose?.pitchDegrees, face.pose?.rollDegrees].map { .init($0) }
        fields += emotions.map { .init(observation.expression?.scores?[$0.label]) }
        fields.append(.init(observation.expression?.label.rawValue))
        fields += units.map { .init(observation.actionUnits?[$0.unit]) }
        fields += Measures.Name.allCases.map { .init(observation.measures?[$0]) }
        let quality = face.quality
        fields += [
            quality?.unifiedScore, quality?.sharpness, quality?.illumination, quality?.interEyeDistance,
        ].map { .init($0) }
        fields += [.whole(frame.width), .whole(frame.height), .whole(frame.corrupt ? 1 : 0)]
        return CSV.row(fields)
    }

    /// The number in a track's name, as OpenFace numbers faces; nil where the name has another form.
    static func faceID(_ trackID: String) -> Int? {
        trackID.hasPrefix("t") ? Int(trackID.dropFirst()).flatMap { $0 >= 0 ? $0 : nil } : nil
    }
}
