package import Imaging

/// A face of one picture, as the tracker needs it.
package struct TrackedFace: Sendable, Hashable {
    package var box: Rect
    /// 0–1.
    package var score: Float
    /// A unit vector of the face's look, kept in memory while the track lives; empty when the face is too small.
    package var appearance: [Float]

    package init(box: Rect, score: Float, appearance: [Float] = []) {
        self.box = box
        self.score = score
        self.appearance = appearance
    }
}

/// Gives faces of successive pictures the same number while they are the same face.
///
/// Two rounds of association as in ByteTrack (arXiv 2110.06864): confident faces first, then the unsure ones for the
/// tracks that are left; only confident ones start a track. Boxes are predicted with a damped constant velocity. Where
/// two faces cross, their look decides. A value: no clock, no randomness, the same input gives the same numbers.
package struct Tracker: Sendable {
    package struct Settings: Sendable, Hashable {
        /// Confident sightings before a track counts.
        package var sightingsForBirth = 3
        /// Seconds without a sighting after which a track ends; longer where samples are far apart.
        package var patience: Double = 1.0
        /// Seconds without a sighting after which a track that never counted is forgotten.
        package var tentativePatience: Double = 0.5
        /// Faces from this score on are matched in the first round and may start a track.
        package var confidentScore: Float = 0.5
        /// Longest way of a face's centre between two samples, in widths of the face, at 0.2 s.
        package var reach: Float = 1.0

        package init() {}
    }

    /// What became of the faces of one picture.
    package struct Update: Sendable, Hashable {
        /// The track of each face, in the order given; nil where a face was too unsure to start one.
        package var tracks: [Int?] = []
        /// Tracks that count from this picture on.
        package var born: [Int] = []
        /// Tracks that counted and ended.
        package var ended: [Int] = []
        /// Tracks that never counted and are forgotten.
        package var forgotten: [Int] = []
    }

    private struct Track: Sendable {
        let id: Int
        var box: Rect
        var velocity = Point(x: 0, y: 0)  // of the centre, pixels per second
        var lastSeen: Double
        var sightings: Int
        var isBorn = false
        var appearance: [Float]
    }

    package let settings: Settings
    private var tracks: [Track] = []
    private var nextID = 1
    private var samples = 0
    private var lastTime: Double?
    /// Seconds between the last samples.
    private var interval = 0.0

    package init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// All living tracks with the boxes where they are expected.
    package func expected(at time: Double) -> [(id: Int, box: Rect, isBorn: Bool)] {
        tracks.map { ($0.id, predicted($0, at: time), $0.isBorn) }
    }

    /// - Parameter time: seconds, not before the last call's.
    package mutating func update(_ faces: [TrackedFace], at time: Double) -> Update {
        samples += 1
        interval = lastTime.map { time - $0 } ?? 0
        lastTime = time
        var update = Update()
        expire(at: time, into: &update)

        update.tracks = [Int?](repeating: nil, count: faces.count)
        let confident = faces.indices.filter { faces[$0].score >= settings.confidentScore }
        let unsure = faces.indices.filter { faces[$0].score < settings.confidentScore }
        var free = Array(tracks.indices)
        for (group, isConfident) in [(confident, true), (unsure, false)] {
            // What was never surely a face is not kept alive by guesses.
            if !isConfident { free.removeAll { !tracks[$0].isBorn } }
            let costs = group.map { face in free.map { cost(of: faces[face], for: tracks[$0], at: time) } }
            var taken: Set<Int> = []
            for (row, column) in Assignment.solve(costs).enumerated() {
                guard let column else { continue }
                let index = free[column]
                taken.insert(index)
                see(faces[group[row]], trackAt: index, at: time)
                update.tracks[group[row]] = tracks[index].id
            }
            free.removeAll { taken.contains($0) }
        }
        for face in confident
        where update.tracks[face] == nil && !isCovered(faces[face], by: update.tracks, of: faces) {
            tracks.append(
                Track(
                    id: nextID,
                    box: faces[face].box,
                    lastSeen: time,
                    sightings: 1,
                    appearance: faces[face].appearance
                )
            )
            update.tracks[face] = nextID
            nextID += 1
        }
        for index in tracks.indices where !tracks[index].isBorn && tracks[index].sightings >= settings.sightingsForBirth
        {
            tracks[index].isBorn = true
            update.born.append(tracks[index].id)
        }
        return update
    }

    /// Ends everything: the stream is over or its timeline broke.
    ///
    /// In a still picture, or a clip with fewer samples than a birth takes, the faces there are count.
    package mutating func finish() -> Update {
        var update = Update()
        let isTooShort = samples < settings.sightingsForBirth
        for track in tracks {
            if !track.isBorn && isTooShort { update.born.append(track.id) }
            if track.isBorn || isTooShort { update.ended.append(track.id) } else { update.forgotten.append(track.id) }
        }
        tracks = []
        samples = 0
        lastTime = nil
        return update
    }

    // MARK: - Parts

    private mutating func expire(at time: Double, into update: inout Update) {
        for track in tracks {
            let unseen = time - track.lastSeen
            if track.isBorn, unseen > max(settings.patience, 2.5 * interval) { update.ended.append(track.id) }
            if !track.isBorn, unseen > max(settings.tentativePatience, 1.5 * interval) {
                update.forgotten.append(track.id)
            }
        }
        let gone = Set(update.ended + update.forgotten)
        tracks.removeAll { gone.contains($0.id) }
    }

    private func predicted(_ track: Track, at time: Double) -> Rect {
        // Damped: a face that turned its back seldom keeps its speed for long.
        let elapsed = Float(min(0.4, max(0, time - track.lastSeen)))
        var box = track.box
        box.left += track.velocity.x * elapsed
        box.top += track.velocity.y * elapsed
        return box
    }

    /// Distance of the centres in face widths, corrected for size and look; nil where it cannot be the same face.
    private func cost(of face: TrackedFace, for track: Track, at time: Double) -> Float? {
        let box = predicted(track, at: time)
        let size = max(1, (box.width + face.box.width) / 2)
        let elapsed = Float(max(0, time - track.lastSeen))
        let reach = settings.reach * min(2, max(0.75, elapsed / 0.2 * 0.5 + 0.5))
        let distance = box.center.distance(to: face.box.center) / size
        let ratio = max(box.width, face.box.width) / max(1, min(box.width, face.box.width))
        guard distance <= reach, ratio <= 2.2 else { return nil }
        var cost = distance / reach + 0.5 * (ratio - 1) + (1 - face.box.iou(box)) * 0.5
        if !track.appearance.isEmpty, track.appearance.count == face.appearance.count {
            cost += 1.5 * (1 - dot(track.appearance, face.appearance))
        }
        return cost
    }

    private mutating func see(_ face: TrackedFace, trackAt index: Int, at time: Double) {
        let elapsed = time - tracks[index].lastSeen
        if elapsed > 0 {
            let old = tracks[index].box.center, new = face.box.center
            let blend: Float = 0.6
            let vx = (new.x - old.x) / Float(elapsed), vy = (new.y - old.y) / Float(elapsed)
            tracks[index].velocity.x += blend * (vx - tracks[index].velocity.x)
            tracks[index].velocity.y += blend * (vy - tracks[index].velocity.y)
        }
        tracks[index].box = face.box
        tracks[index].lastSeen = time
        if face.score >= settings.confidentScore { tracks[index].sightings += 1 }
        if tracks[index].appearance.count == face.appearance.count, !face.appearance.isEmpty {
            var mixed = zip(tracks[index].appearance, face.appearance).map { 0.8 * $0 + 0.2 * $1 }
            let norm = dot(mixed, mixed).squareRoot()
            if norm > 0 { mixed = mixed.map { $0 / norm } }
            tracks[index].appearance = mixed
        } else if !face.appearance.isEmpty {
            tracks[index].appearance = face.appearance
        }
    }

    /// Whether a face that found no track mostly lies on one that did: the same face, found twice.
    private func isCovered(_ face: TrackedFace, by assigned: [Int?], of faces: [TrackedFace]) -> Bool {
        zip(faces, assigned).contains { other, track in
            track != nil && other.box.intersectionArea(face.box) > 0.5 * min(other.box.area, face.box.area)
        }
    }

    private func dot(_ a: [Float], _ b: [Float]) -> Float {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
