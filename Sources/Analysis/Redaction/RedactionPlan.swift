package import Imaging

/// Where faces are at any time, from where they were seen: what a redaction covers.
///
/// Between two sightings of a track its box moves evenly and is wider in the middle of a long gap; before the first
/// sighting and after the last it stays for a while, growing, for the detector sees a face later than a viewer does and
/// loses it earlier. A value without a clock, in ratios of the frame.
package struct RedactionPlan: Sendable {
    package struct Settings: Sendable, Hashable {
        /// What is covered beyond the detector's box on each side, in ratios of its own sides: the box ends at the brows
        /// and the chin.
        package var margin: Float = 0.35
        /// Seconds for which a face is covered before its first and after its last sighting.
        package var hold = 0.5

        package init() {}
    }

    private struct Sighting: Sendable {
        let time: Double
        let box: Rect
    }

    /// How much wider a box is for each second since the last or until the next sighting, in ratios of its sides.
    private static let growth: Float = 0.6

    package let settings: Settings
    private var tracks: [Int: [Sighting]] = [:]
    /// Of single frames, by the numbers of these.
    private var patches: [Int: [Rect]] = [:]
    /// When each track is covered, for looking up; made when all is seen.
    private var spans: [(start: Double, end: Double, track: Int)] = []

    package init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// Faces that were seen, one for each track.
    package var trackCount: Int { tracks.count }

    /// A number that no track has, like all above it.
    package var unusedTrack: Int { (tracks.keys.max() ?? 0) + 1 }

    /// - Parameters:
    ///   - track: never the same for two faces.
    ///   - box: in ratios of the frame.
    ///   - time: not before the track's last.
    package mutating func see(track: Int, box: Rect, at time: Double) {
        tracks[track, default: []].append(Sighting(time: time, box: box))
        spans = []
    }

    /// To be called when all faces were seen, before `regions(at:)`.
    package mutating func finish() {
        spans = tracks.compactMap { id, sightings in
            guard let first = sightings.first, let last = sightings.last else { return nil }
            return (first.time - settings.hold, last.time + settings.hold, id)
        }.sorted { ($0.start, $0.track) < ($1.start, $1.track) }
    }

    /// What is to be covered at a time, in ratios of the frame.
    package func regions(at time: Double) -> [Rect] {
        var regions: [Rect] = []
        for span in spans {
            if span.start > time { break }
            guard span.end >= time, let sightings = tracks[span.track] else { continue }
            regions.append(region(of: sightings, at: time))
        }
        return regions
    }

    /// Covers one more region of one frame, by a single colour.
    ///
    /// - Parameters:
    ///   - region: in ratios of the frame.
    ///   - frame: its number in the order of the video.
    package mutating func patch(_ region: Rect, frame: Int) {
        guard !isPatched(region, frame: frame) else { return }
        patches[frame, default: []].append(region)
    }

    /// What `patch` added, in ratios of the frame, in that order.
    package func patches(frame: Int) -> [Rect] { patches[frame] ?? [] }

    /// Whether one patch of the frame covers all of a region.
    package func isPatched(_ region: Rect, frame: Int) -> Bool {
        patches(frame: frame).contains {
            $0.left <= region.left && $0.top <= region.top && $0.right >= region.right && $0.bottom >= region.bottom
        }
    }

    /// Regions of single frames, over all of them.
    package var patchCount: Int { patches.values.reduce(0) { $0 + $1.count } }

    // MARK: - Parts

    private func region(of sightings: [Sighting], at time: Double) -> Rect {
        // The first sighting that is not before `time`, by halving.
        var low = 0, high = sightings.count
        while low < high {
            let middle = (low + high) / 2
            if sightings[middle].time < time { low = middle + 1 } else { high = middle }
        }
        var box: Rect
        let away: Double
        if low == 0 {
            (box, away) = (sightings[0].box, sightings[0].time - time)
        } else if low == sightings.count {
            let last = sightings[sightings.count - 1]
            (box, away) = (last.box, time - last.time)
        } else {
            let before = sightings[low - 1], after = sightings[low]
            let length = after.time - before.time
            let share = length > 0 ? Float((time - before.time) / length) : 0
            box = Self.between(before.box, after.box, share: share)
            away = min(time - before.time, after.time - time)
        }
        let wider = 1 + 2 * settings.margin + Self.growth * Float(max(0, away))
        box = Rect(center: box.center, width: box.width * wider, height: box.height * wider)
        // The forehead and the hair are above the box, and by them a person is known too.
        let up = 0.15 * box.height
        return Rect(left: box.left, top: box.top - up, width: box.width, height: box.height + up)
    }

    private static func between(_ a: Rect, _ b: Rect, share: Float) -> Rect {
        func mix(_ x: Float, _ y: Float) -> Float { x + share * (y - x) }
        return Rect(
            left: mix(a.left, b.left),
            top: mix(a.top, b.top),
            width: mix(a.width, b.width),
            height: mix(a.height, b.height)
        )
    }
}
