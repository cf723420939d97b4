internal import Events
internal import Faces

extension TrackState {
    /// The smoothed expression; the label is the one that counts, which may lag behind the scores for a moment.
    var expressionRecord: ExpressionRecord? {
        guard let scores, let label = appearance.expression else { return nil }
        return EventRecords.expression(scores, label: label)
    }

    /// What is known of the face.
    ///
    /// - Parameter withStates: also what holds for a moment: eyes and mouth.
    func attributeRecords(withStates: Bool) -> [AttributeName: AttributeRecord] {
        var records: [AttributeName: AttributeRecord] = [:]
        if withStates {
            if let eyes = appearance.eyes { records[.eyes] = AttributeRecord(eyes, method: .geometry) }
            if let mouth = appearance.mouth { records[.mouth] = AttributeRecord(mouth, method: .geometry) }
        }
        guard let estimate = shots.estimate else { return records }
        records[.apparentAgeYears] = AttributeRecord(Double(estimate.years), method: .classifier)
        let male = Double(estimate.probabilityOfMale)
        let gender: ApparentGender = male >= 0.65 ? .male : male <= 0.35 ? .female : .uncertain
        records[.apparentGender] = AttributeRecord(
            gender,
            confidence: max(male, 1 - male),
            confidenceKind: .softmax,
            method: .classifier
        )
        return records
    }

    /// The summary that closes the track.
    func end(reason: TrackEnd.Reason, attributes: [AttributeName: AttributeRecord]?, sentence: String) -> TrackEnd? {
        let shares = expressionShares
        let range = poses.range.flatMap { range in
            TrackEnd.PoseRange(
                yaw: doubles(range.yaw),
                pitch: doubles(range.pitch),
                roll: doubles(range.roll)
            )
        }
        return TrackEnd(
            trackID: id,
            reason: reason,
            firstMediaTimeSeconds: firstTime,
            lastMediaTimeSeconds: lastTime,
            observations: observations,
            analyses: analyses,
            summary: TrackEnd.Summary(
                dominantExpression: shares.first.map { EventRecords.label($0.expression) },
                expressionShares: shares.isEmpty
                    ? nil
                    : Dictionary(uniqueKeysWithValues: shares.map { (EventRecords.label($0.expression), $0.share) }),
                medianPose: poses.median.flatMap(EventRecords.pose),
                poseRange: range,
                attributes: attributes,
                bestShot: shots.best.flatMap {
                    TrackEnd.BestShot(
                        mediaTimeSeconds: $0.mediaTime,
                        frameIndex: $0.frameIndex,
                        quality: Double($0.quality)
                    )
                },
                description: DescriptionRecord(text: sentence, method: .template)
            )
        )
    }

    private func doubles(_ range: ClosedRange<Float>) -> ClosedRange<Double> {
        Double(range.lowerBound)...Double(range.upperBound)
    }
}
