/// Every frame, face, track and line accounted for: `ledger`.
///
/// The equations of `violations(atEnd:)` hold at every moment, so a silent loss shows. All counters are ≥ 0.
package struct Ledger: Sendable, Hashable {
    /// Frames that left the decoder; `1500`.
    package var framesDecoded = 0
    /// Frames that were searched for faces; `300`.
    package var framesSampled = 0
    /// Decoded frames that the sampler passed over; `1200`.
    package var framesUnsampled = 0
    /// Packets whose frame the decoder was told not to decode; outside the equations; `0`.
    package var framesSkipped = 0
    /// Packets and frames with decode errors; outside the equations; `0`.
    package var framesCorrupt = 0
    /// Faces found in sampled frames; `412`.
    package var facesObserved = 0
    /// Faces that a describer answered for; `9`.
    package var facesAnalysed = 0
    /// Faces for which an earlier answer stands; `380`.
    package var facesReused = 0
    /// Faces too small, blurred or turned away to be described; `23`.
    package var facesRejectedQuality = 0
    /// Faces not described because the queue was full or the run ended; `0`.
    package var facesDroppedOverload = 0
    /// Faces whose description failed; `0`.
    package var facesFailed = 0
    /// Faces still waiting; 0 at the end; `0`.
    package var facesPending = 0
    /// Pictures of faces that were meant for the describer; `12`.
    package var cropsQueued = 0
    /// Crops that the describer answered; `9`.
    package var cropsDescribed = 0
    /// Crops whose place a better one of the same track took; `2`.
    package var cropsReplaced = 0
    /// Crops that waited until they told nothing about now; `0`.
    package var cropsExpired = 0
    /// Crops not described because the queue was full or the run ended; `1`.
    package var cropsDroppedOverload = 0
    /// Crops on which the describer failed or ran out of time; `0`.
    package var cropsFailed = 0
    /// Crops that wait or are being described; 0 at the end; `0`.
    package var cropsPending = 0
    /// Lines `track.started`; `4`.
    package var tracksStarted = 0
    /// Lines `track.ended`; `4`.
    package var tracksEnded = 0
    /// Lines with a `seq`, the one that carries the ledger included; `46`.
    package var eventsPublished = 0

    package init() {}

    // MARK: - Equations

    /// Names each equation that does not hold.
    ///
    /// - Parameter atEnd: whether the run is over: then nothing may be pending and every track must have ended.
    /// - Returns: one sentence for each broken equation with its numbers; empty when the ledger is in order.
    package func violations(atEnd: Bool = false) -> [String] {
        var found: [String] = []
        for (key, path) in Self.counters where self[keyPath: path] < 0 {
            found.append("\(key.rawValue) (\(self[keyPath: path])) is below 0")
        }
        check(.framesDecoded, equals: [.framesSampled, .framesUnsampled], into: &found)
        check(
            .facesObserved,
            equals: [
                .facesAnalysed, .facesReused, .facesRejectedQuality, .facesDroppedOverload, .facesFailed, .facesPending,
            ],
            into: &found
        )
        check(
            .cropsQueued,
            equals: [
                .cropsDescribed, .cropsReplaced, .cropsExpired, .cropsDroppedOverload, .cropsFailed, .cropsPending,
            ],
            into: &found
        )
        if tracksEnded > tracksStarted {
            found.append("tracks_ended (\(tracksEnded)) > tracks_started (\(tracksStarted))")
        }
        if atEnd {
            if facesPending != 0 {
                found.append("faces_pending (\(facesPending)) is not 0 at the end")
            }
            if cropsPending != 0 {
                found.append("crops_pending (\(cropsPending)) is not 0 at the end")
            }
            if tracksEnded < tracksStarted {
                found.append("tracks_ended (\(tracksEnded)) < tracks_started (\(tracksStarted)) at the end")
            }
        }
        return found
    }

    private func check(_ total: CodingKeys, equals parts: [CodingKeys], into found: inout [String]) {
        let sum = parts.reduce(0) { Self.sum($0, self[$1]) }
        guard self[total] != sum else { return }
        let terms = parts.map { "\($0.rawValue) (\(self[$0]))" }.joined(separator: " + ")
        found.append("\(total.rawValue) (\(self[total])) ≠ \(terms)")
    }

    private subscript(_ key: CodingKeys) -> Int {
        Self.counters.first { $0.key == key }.map { self[keyPath: $0.path] } ?? 0
    }

    // MARK: - Combining

    /// The ledger of two sources, or two stages, together.
    package static func + (left: Ledger, right: Ledger) -> Ledger {
        var result = left
        result += right
        return result
    }

    package static func += (left: inout Ledger, right: Ledger) {
        for (_, path) in counters {
            left[keyPath: path] = sum(left[keyPath: path], right[keyPath: path])
        }
    }

    /// Adds without trapping: a ledger may have been read from a damaged file.
    private static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? (left < 0 ? .min : .max) : sum
    }
}

// MARK: - Codable

extension Ledger: Codable {
    package enum CodingKeys: String, CodingKey, CaseIterable {
        case framesDecoded = "frames_decoded"
        case framesSampled = "frames_sampled"
        case framesUnsampled = "frames_unsampled"
        case framesSkipped = "frames_skipped"
        case framesCorrupt = "frames_corrupt"
        case facesObserved = "faces_observed"
        case facesAnalysed = "faces_analysed"
        case facesReused = "faces_reused"
        case facesRejectedQuality = "faces_rejected_quality"
        case facesDroppedOverload = "faces_dropped_overload"
        case facesFailed = "faces_failed"
        case facesPending = "faces_pending"
        case cropsQueued = "crops_queued"
        case cropsDescribed = "crops_described"
        case cropsReplaced = "crops_replaced"
        case cropsExpired = "crops_expired"
        case cropsDroppedOverload = "crops_dropped_overload"
        case cropsFailed = "crops_failed"
        case cropsPending = "crops_pending"
        case tracksStarted = "tracks_started"
        case tracksEnded = "tracks_ended"
        case eventsPublished = "events_published"
    }

    /// Each counter with its name in JSON; the one list that reading, adding and checking go by.
    private static var counters: [(key: CodingKeys, path: WritableKeyPath<Ledger, Int>)] {
        [
            (.framesDecoded, \.framesDecoded),
            (.framesSampled, \.framesSampled),
            (.framesUnsampled, \.framesUnsampled),
            (.framesSkipped, \.framesSkipped),
            (.framesCorrupt, \.framesCorrupt),
            (.facesObserved, \.facesObserved),
            (.facesAnalysed, \.facesAnalysed),
            (.facesReused, \.facesReused),
            (.facesRejectedQuality, \.facesRejectedQuality),
            (.facesDroppedOverload, \.facesDroppedOverload),
            (.facesFailed, \.facesFailed),
            (.facesPending, \.facesPending),
            (.cropsQueued, \.cropsQueued),
            (.cropsDescribed, \.cropsDescribed),
            (.cropsReplaced, \.cropsReplaced),
            (.cropsExpired, \.cropsExpired),
            (.cropsDroppedOverload, \.cropsDroppedOverload),
            (.cropsFailed, \.cropsFailed),
            (.cropsPending, \.cropsPending),
            (.tracksStarted, \.tracksStarted),
            (.tracksEnded, \.tracksEnded),
            (.eventsPublished, \.eventsPublished),
        ]
    }

    /// Reads the counters; one that an older line does not have is 0.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        for (key, path) in Self.counters {
            self[keyPath: path] = try container.decodeIfPresent(Int.self, forKey: key) ?? 0
        }
    }
}
