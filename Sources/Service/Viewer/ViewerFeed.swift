internal import Dispatch
package import Imaging
internal import Synchronization

/// The pictures of the viewer: a preview of each source that somebody watches, and the best look at each face in view.
///
/// They live in memory only. A source offers what it looks at; nothing is done for a preview that nobody asks for, and
/// what is done happens on a queue of its own, one picture of a source at a time: while that one is in work, others pass
/// by, so perception never waits.
package final class ViewerFeed: Sendable {
    package struct Settings: Sendable {
        package var pictures = ViewerPictures.clear
        /// Between two previews of a source.
        package var interval = Duration.milliseconds(450)
        /// How long after somebody asked a preview is still made.
        package var interest = Duration.seconds(5)
        /// How old a preview may be to be shown as what is there now.
        package var freshness = Duration.seconds(10)
        /// How long the best shot of a face stays after the face was last seen.
        package var shotLifetime = Duration.seconds(180)
        /// Best shots of all sources together; of about 6 kB each.
        package var maximumShots = 256
        /// Sources that previews are kept of; beyond, the one that has not offered anything for longest is forgotten.
        package var maximumSources = 256

        package init() {}
    }

    /// A picture as a browser gets it.
    package struct Preview: Sendable, Hashable {
        /// Grows with each picture of the source.
        package let number: Int
        /// Nil where pictures are switched off.
        package let jpeg: [UInt8]?
        /// The faces in it: `SeenFace` as a JSON array, in ASCII.
        package let faces: String
    }

    package struct Shot: Sendable, Hashable {
        /// Grows with each better picture of the same face.
        package let number: Int
        package let jpeg: [UInt8]
    }

    private struct Source {
        var offeredAt: ContinuousClock.Instant?
        var wantedUntil: ContinuousClock.Instant?
        var beganAt: ContinuousClock.Instant?
        var isInWork = false
        /// Whether somebody has got the last preview; until then another one would be for nobody.
        var isFetched = true
        var preview: Preview?
        var previewAt: ContinuousClock.Instant?
        var picturesMade = 0
    }

    private struct KeptShot {
        var shot: Shot?
        /// 0–100.
        var quality: Float
        var seenAt: ContinuousClock.Instant
    }

    private struct TrackKey: Hashable {
        var source: String
        var track: String
    }

    private struct State {
        var sources: [String: Source] = [:]
        var shots: [TrackKey: KeptShot] = [:]
        var sweepIsPlanned = false
    }

    /// Pixels of a preview's width at most.
    private static let previewWidth = 640
    /// Pixels of a best shot's side at most.
    private static let shotSide: Float = 176
    /// So much of the box's longer side is shown around a face.
    private static let shotMargin: Float = 0.3
    /// A shot worth replacing the last one is so much better.
    private static let gain: Float = 1.05
    private static let previewQuality = 70
    /// Blocks along the longer side of a face that is pixelated: eyes, nose and mouth run together.
    private static let blocks: Float = 4
    /// So much of a face's longer side is covered around it.
    private static let coveredRoom: Float = 0.25
    private static let shotQuality = 82

    private let settings: Settings
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "facellm.viewer", qos: .utility)
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(
        _ settings: Settings = Settings(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.settings = settings
        self.now = now
    }

    package var pictures: ViewerPictures { settings.pictures }

    // MARK: - For viewers

    /// The newest preview of a source that is newer than `number`, and a wish for the next.
    package func preview(of source: String, after number: Int) -> Preview? {
        let now = now()
        return state.withLock { state in
            // A name that no source has offered anything under must not take memory.
            guard state.sources[source] != nil else { return nil }
            state.sources[source]?.wantedUntil = now + settings.interest
            guard let kept = state.sources[source], let preview = kept.preview, let at = kept.previewAt,
                now - at < settings.freshness
            else {
                state.sources[source]?.isFetched = true
                return nil
            }
            state.sources[source]?.isFetched = true
            return preview.number > number ? preview : nil
        }
    }

    /// The best look at a face, if it is better than shot `number`.
    package func shot(of track: String, source: String, after number: Int) -> Shot? {
        let now = now()
        return state.withLock { state in
            guard let kept = state.shots[TrackKey(source: source, track: track)], let shot = kept.shot,
                shot.number > number, now - kept.seenAt < settings.shotLifetime
            else { return nil }
            return shot
        }
    }

    /// How many sources are known.
    package var sourceCount: Int { state.withLock { $0.sources.count } }

    /// How many pictures are kept.
    package var shotCount: Int { state.withLock { $0.shots.count } }

    // MARK: - For sources

    /// Takes a picture that was looked at, masks applied, with the faces that were found in it.
    package func offer(_ picture: Picture, of source: String, faces: [SeenFace]) {
        let now = now()
        let job = state.withLock { state -> Job? in
            var entry = state.sources[source] ?? Source()
            entry.offeredAt = now
            defer {
                state.sources[source] = entry
                // Sources come and go by command for as long as the daemon runs.
                while state.sources.count > max(1, settings.maximumSources),
                    let oldest = state.sources.min(by: { ($0.value.offeredAt ?? now) < ($1.value.offeredAt ?? now) })
                {
                    state.sources[oldest.key] = nil
                }
            }
            for face in faces {
                guard let id = face.track else { continue }
                state.shots[TrackKey(source: source, track: id)]?.seenAt = now
            }
            guard !entry.isInWork else { return nil }
            var job = Job(source: source, picture: picture)
            let isWanted = entry.wantedUntil.map { $0 > now } ?? false
            let isTime = entry.beganAt.map { now - $0 >= settings.interval } ?? true
            if isWanted, isTime, entry.isFetched || entry.previewAt.map({ now - $0 > settings.freshness / 4 }) ?? true {
                entry.beganAt = now
                job.preview = faces
            }
            if settings.pictures == .clear { job.shots = bestShots(of: faces, source: source, &state, at: now) }
            guard job.preview != nil || !job.shots.isEmpty else { return nil }
            entry.isInWork = true
            return job
        }
        guard let job else { return }
        queue.async { [self] in carryOut(job) }
    }

    private struct Job: Sendable {
        var source: String
        var picture: Picture
        /// Nil where nobody wants a preview.
        var preview: [SeenFace]?
        var shots: [(track: String, box: Rect, number: Int)] = []
    }

    /// Faces that show better than ever before; their places are taken at once.
    private func bestShots(
        of faces: [SeenFace],
        source: String,
        _ state: inout State,
        at now: ContinuousClock.Instant
    ) -> [(track: String, box: Rect, number: Int)] {
        var found: [(track: String, box: Rect, number: Int)] = []
        for face in faces {
            guard let id = face.track, face.box.width >= 1, face.box.height >= 1 else { continue }
            let key = TrackKey(source: source, track: id)
            let kept = state.shots[key]
            guard face.quality > (kept?.quality ?? -1) * Self.gain else { continue }
            state.shots[key] = KeptShot(shot: kept?.shot, quality: face.quality, seenAt: now)
            found.append((id, face.box, (kept?.shot?.number ?? 0) + 1))
        }
        while state.shots.count > max(1, settings.maximumShots),
            let oldest = state.shots.min(by: { $0.value.seenAt < $1.value.seenAt })
        {
            state.shots[oldest.key] = nil
        }
        return found
    }

    // MARK: - On the queue

    private func carryOut(_ job: Job) {
        var preview: (jpeg: [UInt8]?, faces: String)?
        if let faces = job.preview { preview = (jpeg(of: job), SeenFace.json(faces, in: job.picture.size)) }
        let shots = job.shots.map { ($0, Self.cut($0.box, of: job.picture)) }
        let now = now()
        let plansSweep = state.withLock { state in
            if let preview, var entry = state.sources[job.source] {
                entry.picturesMade += 1
                entry.preview = Preview(number: entry.picturesMade, jpeg: preview.jpeg, faces: preview.faces)
                entry.previewAt = now
                entry.isFetched = false
                state.sources[job.source] = entry
            }
            state.sources[job.source]?.isInWork = false
            for (shot, jpeg) in shots {
                guard let jpeg else { continue }
                state.shots[TrackKey(source: job.source, track: shot.track)]?.shot = Shot(
                    number: shot.number,
                    jpeg: jpeg
                )
            }
            defer { state.sweepIsPlanned = true }
            return !state.sweepIsPlanned
        }
        if plansSweep { planSweep() }
    }

    private func planSweep() {
        let seconds = max(0.05, settings.shotLifetime.seconds / 6)
        queue.asyncAfter(deadline: .now() + seconds) { [weak self] in self?.sweep() }
    }

    /// Lets go of pictures that nobody may see or wants to see any more.
    private func sweep() {
        let now = now()
        let goesOn = state.withLock { state in
            state.shots = state.shots.filter { now - $0.value.seenAt < settings.shotLifetime }
            for (name, source) in state.sources where !(source.previewAt.map { now - $0 < settings.freshness } ?? false)
            {
                state.sources[name]?.preview = nil
            }
            state.sweepIsPlanned = !state.shots.isEmpty || state.sources.values.contains { $0.preview != nil }
            return state.sweepIsPlanned
        }
        if goesOn { planSweep() }
    }

    private func jpeg(of job: Job) -> [UInt8]? {
        guard settings.pictures != .none else { return nil }
        let full = job.picture.size
        let width = min(Self.previewWidth, max(2, full.width))
        let scale = Float(width) / Float(max(1, full.width))
        // The encoder halves the colours, which even sides make exact.
        let size = Size(width: width & ~1, height: max(2, Int((Float(full.height) * scale).rounded()) & ~1))
        var canvas = Canvas(job.picture, size: size)
        if settings.pictures == .pixelated {
            for box in (job.preview ?? []).map(\.box) {
                let face = Rect(
                    left: box.left * scale,
                    top: box.top * scale,
                    width: box.width * scale,
                    height: box.height * scale
                )
                Self.pixelate(face, in: &canvas)
            }
        }
        return try? PictureEncoder.encode(canvas, as: .jpeg(quality: Self.previewQuality))
    }

    /// Turns a face, and some room around it for ears, hair and what the box missed, into a few blocks of one colour.
    ///
    /// - Parameter face: its box in pixels of the canvas.
    static func pixelate(_ face: Rect, in canvas: inout Canvas) {
        let side = max(face.width, face.height), room = coveredRoom * side
        guard side > 0, side < 1e6 else { return }
        canvas.pixelate(
            Rect(
                left: face.left - room,
                top: face.top - room,
                width: face.width + 2 * room,
                height: face.height + 2 * room
            ),
            block: max(2, Int((side / blocks).rounded(.up)))
        )
    }

    /// The head with some room around it.
    private static func cut(_ box: Rect, of picture: Picture) -> [UInt8]? {
        let region = RotatedSquare(center: box.center, side: (1 + 2 * shotMargin) * max(box.width, box.height))
        guard region.side.isFinite, region.side > 0, region.side < 1e6 else { return nil }
        let side = Int(max(32, min(shotSide, region.side)))
        let canvas = Canvas(
            sampling: Pyramid(picture),
            map: .crop(region, size: side),
            size: Size(width: side, height: side),
            replicatesEdge: true
        )
        return try? PictureEncoder.encode(canvas, as: .jpeg(quality: shotQuality))
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
