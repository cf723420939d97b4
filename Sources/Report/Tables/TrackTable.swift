internal import Events

/// One row for each track.
package enum TrackTable {
    private static let fixed =
        ["instance_id", "run", "source", "track_id", "face_id", "first_timestamp", "last_timestamp", "duration"]
        + ["observations", "analyses", "end_reason", "dominant_expression"]
        + ObservationTable.emotions.map { "\($0.column)_share" }
        + ["yaw", "pitch", "roll"].flatMap { ["\($0)_median_deg", "\($0)_min_deg", "\($0)_max_deg"] }
        + ["best_frame", "best_timestamp", "best_quality", "description", "description_method"]

    /// The whole table, header first.
    ///
    /// Attributes that users defined have columns too, so the columns are known when all tracks are.
    package static func rows(_ story: ReportStory) -> [String] {
        let tracks = story.runs.flatMap { $0.sources.flatMap(\.tracks) }
        var names = AttributeName.known
        let own = Set(tracks.flatMap { $0.attributes.map(\.name) }).subtracting(names)
        names += own.sorted { $0.rawValue < $1.rawValue }
        let columns = fixed + names.flatMap { [$0.rawValue, "\($0.rawValue)_confidence", "\($0.rawValue)_method"] }
        var rows = [CSV.row(columns.map { .text($0) })]
        for (index, run) in story.runs.enumerated() {
            for source in run.sources {
                for track in source.tracks {
                    rows.append(row(track, run: run, number: index + 1, source: source.name, names: names))
                }
            }
        }
        return rows
    }

    private static func row(
        _ track: TrackStory,
        run: RunStory,
        number: Int,
        source: String?,
        names: [AttributeName]
    ) -> String {
        let summary = track.end?.summary
        let shares = Dictionary(uniqueKeysWithValues: track.shares.map { ($0.label, $0.share) })
        var fields: [CSV.Field] = [
            .init(run.instanceID), .whole(number), .init(source), .text(track.id),
            .init(ObservationTable.faceID(track.id)), .number(track.firstTime), .number(track.lastTime),
            .init(NumberFormat.seconds(track.duration)), .whole(track.observations), .init(track.end?.analyses),
            .init(track.end?.reason.rawValue), .init(track.dominantExpression?.rawValue),
        ]
        fields += ObservationTable.emotions.map { emotion in
            // Without any share nothing is known of the expression; with one, the others are zero.
            shares.isEmpty ? .none : .init(NumberFormat.probability(shares[emotion.label] ?? 0))
        }
        let (median, range) = (summary?.medianPose, summary?.poseRange)
        fields += [
            median?.yawDegrees, range?.yawDegrees.min, range?.yawDegrees.max,
            median?.pitchDegrees, range?.pitchDegrees.min, range?.pitchDegrees.max,
            median?.rollDegrees, range?.rollDegrees.min, range?.rollDegrees.max,
        ].map { .init($0) }
        fields += [
            .init(summary?.bestShot?.frameIndex), .init(summary?.bestShot?.mediaTimeSeconds),
            .init(summary?.bestShot?.quality),
        ]
        let sentence = track.sentences.last { $0.method == .vlm } ?? track.sentences.last
        fields += [.init(sentence?.text), .init(sentence?.method.rawValue)]
        let attributes = track.attributes
        for name in names {
            // What holds for the whole track comes first, and of those what was read last wins.
            let read = attributes.first { $0.name == name && $0.time == nil } ?? attributes.last { $0.name == name }
            switch read?.record.value {
            case .text(let text): fields.append(.text(text))
            case .number(let number): fields.append(.number(number))
            case nil: fields.append(.none)
            }
            fields += [.init(read?.record.confidence), .init(read?.record.method.rawValue)]
        }
        return CSV.row(fields)
    }
}
