package import Imaging

/// Where faces are at any time, from where they were seen: what a redaction covers, and how.
///
/// Between two sightings of a track its box moves evenly and is wider in the middle of a long gap; before the first
/// sighting and after the last it stays for a while, growing, for the detector sees a face later than a viewer does and
/// loses it earlier. How coarse its blocks are is one choice for the whole track, so that nothing flickers. A value
/// without a clock, in ratios of the frame.
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
        var box: Rect
        /// The side of a block from here on, in ratios of the frame's height.
        var block: Float?
    }

    private struct Track: Sendable {
        var sightings: [Sighting] = []
        var strength = RedactionStrength.fine
        /// Whether the boxes are covered as they are, without a margin and without growing.
        var isExact = false

        mutating func add(_ sighting: Sighting) {
            // Nearly always behind the last; corrections come in any order.
            let place = sightings.lastIndex { $0.time <= sighting.time }.map { $0 + 1 } ?? 0
            if place > 0, sightings[place - 1].time == sighting.time {
                sightings[place - 1].box = sightings[place - 1].box.union(sighting.box)
            } else {
                sightings.insert(sighting, at: place)
            }
        }
    }

    /// How much wider a box is for each second since the last or until the next sighting, in ratios of its sides.
    private static let growth: Float = 0.6
    /// How much is covered above, in parts of a region's height: the forehead and the hair are above the box, and by
    /// them a person is known too.
    private static let above: Float = 0.15
    /// Seconds for which a patch stays before its first and after its last moment: less than half a second flashes.
    private static let patchHold = 0.5

    package let settings: Settings
    private var tracks: [Int: Track] = [:]
    /// When each track is covered, for looking up; made when all is seen.
    private var spans: [(start: Double, end: Double, track: Int)] = []

    package init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// Faces that were seen, one for each track.
    package var trackCount: Int { tracks.values.count { !$0.isExact } }

    /// Tracks that are covered more plainly than others, and patches.
    package var correctionCount: Int { tracks.values.count { $0.isExact || $0.strength > .fine } }

    /// A number that no track has, like all above it.
    package var unusedTrack: Int { (tracks.keys.max() ?? 0) + 1 }

    /// - Parameters:
    ///   - track: never the same for two faces.
    ///   - box: in ratios of the frame.
    ///   - time: seconds.
    package mutating func see(track: Int, box: Rect, at time: Double) {
        add(Sighting(time: time, box: box), to: track, isExact: false)
    }

    /// To be called when all faces were seen, before `covers(at:)`.
    package mutating func finish() {
        for id in tracks.keys { chooseBlocks(of: id) }
        spans = tracks.compactMap { id, track in
            guard let first = track.sightings.first, let last = track.sightings.last else { return nil }
            let hold = track.isExact ? Self.patchHold : settings.hold
            return (first.time - hold, last.time + hold, id)
        }.sorted { ($0.start, $0.track) < ($1.start, $1.track) }
    }

    /// What is to be covered at a time, in ratios of the frame, in the order in which it is done.
    package func covers(at time: Double) -> [RedactionCover] {
        var covers: [RedactionCover] = []
        for span in spans {
            if span.start > time { break }
            guard span.end >= time, let track = tracks[span.track] else { continue }
            let (region, block) = region(of: track, at: time)
            covers.append(RedactionCover(track: span.track, region: region, strength: track.strength, block: block))
        }
        return covers
    }

    // MARK: - Corrections

    /// Covers a track at least so plainly, for all of its time.
    package mutating func strengthen(track: Int, to strength: RedactionStrength) {
        guard let known = tracks[track], known.strength < strength else { return }
        tracks[track]?.strength = strength
        spans = []
    }

    /// Covers one more region by a single colour, for a while.
    ///
    /// One that lies about where another is at that time makes it larger and longer; no second colour comes there.
    ///
    /// - Parameter region: in ratios of the frame.
    package mutating func patch(_ region: Rect, at time: Double) {
        let known = tracks.keys.sorted().first { id in
            guard let track = tracks[id], track.isExact else { return false }
            return track.sightings.contains { abs($0.time - time) <= 2 * Self.patchHold && $0.box.iou(region) > 0.2 }
        }
        add(Sighting(time: time, box: region), to: known ?? unusedTrack, isExact: true)
    }

    // MARK: - Parts

    private mutating func add(_ sighting: Sighting, to id: Int, isExact: Bool) {
        // In place: a track that is taken out and put back is copied as a whole.
        tracks[id, default: Track(strength: isExact ? .plain : .fine, isExact: isExact)].add(sighting)
        spans = []
    }

    private mutating func chooseBlocks(of id: Int) {
        guard var track = tracks.removeValue(forKey: id) else { return }
        var block: Float?
        for index in track.sightings.indices {
            let region = grown(track.sightings[index].box, isExact: track.isExact, away: 0)
            block = track.strength.block(height: region.height, last: block)
            track.sightings[index].block = block
        }
        tracks[id] = track
    }

    private func region(of track: Track, at time: Double) -> (region: Rect, block: Float?) {
        let sightings = track.sightings
        // The first sighting that is not before `time`, by halving.
        var low = 0, high = sightings.count
        while low < high {
            let middle = (low + high) / 2
            if sightings[middle].time < time { low = middle + 1 } else { high = middle }
        }
        let box: Rect
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
        return (grown(box, isExact: track.isExact, away: away), sightings[max(0, low - 1)].block)
    }

    private func grown(_ box: Rect, isExact: Bool, away: Double) -> Rect {
        if isExact { return box }
        let wider = 1 + 2 * settings.margin + Self.growth * Float(max(0, away))
        let box = Rect(center: box.center, width: box.width * wider, height: box.height * wider)
        let up = Self.above * box.height
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

extension Rect {
    /// The smallest rectangle around both.
    fileprivate func union(_ other: Rect) -> Rect {
        let (left, top) = (min(left, other.left), min(top, other.top))
        return Rect(
            left: left,
            top: top,
            width: max(right, other.right) - left,
            height: max(bottom, other.bottom) - top
        )
    }
}
