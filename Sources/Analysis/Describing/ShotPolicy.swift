internal import Events
internal import Faces

/// Decides for each track when the describer is asked, and with which picture.
///
/// A value with no clock but media time: the same looks give the same decisions. A track wants a description when it is
/// new, when perception sees a lasting change, or when the last one is old. The wish is granted by the first good shot,
/// or after a moment's patience by the best one until then, as long as the budgets last.
struct ShotPolicy: Sendable {
    /// A face as a sampled frame showed it.
    struct Look: Sendable {
        var track: String
        /// Seconds of media time.
        var time: Double
        /// Whether the track was told of: nothing is asked about what may yet turn out to be nothing.
        var isBorn = true
        /// Nil where the face is too small or too blurred for a mesh.
        var quality: FaceQuality?
        /// Degrees between the line of sight and the direction of the face.
        var turn: Float = 0
        /// Of the face's box, pixels.
        var width: Float
        var appearance = TrackState.Appearance()
    }

    enum Decision: Sendable, Hashable {
        case nothing
        /// This picture is the best so far of one that will be asked about: hold on to it.
        case keep
        /// Ask about this picture.
        case ask(DescriptionRequest.Reason)
        /// Ask about the picture that was kept.
        case askKept(DescriptionRequest.Reason)
    }

    private struct Wish: Sendable {
        var reason: DescriptionRequest.Reason
        var since: Double
        /// The best shot until now.
        var best: Shot?
    }

    private struct Shot: Sendable {
        var quality: Float
        /// Whether waiting for a better one is in vain.
        var isGood: Bool
        var appearance: TrackState.Appearance

        /// Less than a twentieth is noise of the score, and holding on to a picture costs a copy.
        func isBetter(than other: Shot) -> Bool {
            isGood == other.isGood ? quality > other.quality * 1.05 : isGood
        }
    }

    private struct Track: Sendable {
        typealias Asked = (time: Double, appearance: TrackState.Appearance)

        /// Of the observations since the last request.
        var firstTime: Double
        var lastTime: Double
        var observations = 0
        /// How often the describer was asked.
        var asked = 0
        /// When it was asked last, and how the face looked then; and the time before that.
        var last: Asked?
        var before: Asked?
        var wish: Wish?
        /// Nothing is asked sooner: there was no place for the last request.
        var pauseEnd = -Double.infinity
    }

    /// May change at any time; what was asked until then counts against the new budgets.
    var settings: DescriptionSettings.Shots
    private var tracks: [String: Track] = [:]
    /// Media times of the requests of the last hour.
    private var recent: [Double] = []
    private var now = 0.0

    init(settings: DescriptionSettings.Shots) {
        self.settings = settings
    }

    // MARK: - Looks

    /// A face was seen.
    mutating func see(_ look: Look) -> Decision {
        advance(to: look.time)
        var track = tracks[look.track] ?? Track(firstTime: look.time, lastTime: look.time)
        defer { tracks[look.track] = track }
        if track.observations == 0 { track.firstTime = look.time }
        track.observations += 1
        track.lastTime = look.time
        // A state that shows for the first time is no change: the face had it all along.
        track.last?.appearance.learn(look.appearance)
        track.wish = wish(of: track, look)
        guard var wish = track.wish, track.asked < settings.perTrack else { return .nothing }
        if recent.count >= settings.perHour {
            // What was held on to until then would tell of long ago.
            track.wish = nil
            return .nothing
        }

        var decision = Decision.nothing
        if let shot = shot(look, for: wish.reason), wish.best.map({ shot.isBetter(than: $0) }) ?? true {
            wish.best = shot
            track.wish = wish
            decision = .keep
        }
        guard look.isBorn, look.time >= track.pauseEnd, let best = wish.best,
            best.isGood || look.time - wish.since >= settings.patience
        else { return decision }
        grant(wish, of: &track)
        return decision == .keep ? .ask(wish.reason) : .askKept(wish.reason)
    }

    /// The track is over.
    ///
    /// - Returns: why to ask about the kept picture, where nothing was asked about the track yet.
    mutating func end(_ id: String) -> DescriptionRequest.Reason? {
        guard var track = tracks[id], let wish = track.wish, wish.reason == .new, wish.best != nil,
            track.asked < settings.perTrack, recent.count < settings.perHour
        else { return nil }
        grant(wish, of: &track)
        tracks[id] = track
        return .new
    }

    /// A request came to nothing without the describer having been asked: the budgets get it back.
    ///
    /// - Parameter asksAgain: whether the track is to ask again, after a pause; not where a better request took over.
    mutating func giveBack(_ request: DescriptionRequest, asksAgain: Bool) {
        if !recent.isEmpty { recent.removeLast() }
        guard var track = tracks[request.trackID], track.asked > 0 else { return }
        track.asked -= 1
        if asksAgain {
            track.last = request.reason == .new ? nil : track.before
            track.pauseEnd = now + settings.patience
        }
        tracks[request.trackID] = track
    }

    /// Whether the face still looks as when it was asked about.
    func looksAsAsked(_ track: String, _ appearance: TrackState.Appearance) -> Bool {
        tracks[track]?.last.map { appearance.changes(since: $0.appearance).isEmpty } ?? false
    }

    /// Another picture takes the place of the one asked about, whose own request will be given back.
    mutating func countAgain(_ track: String) {
        tracks[track]?.asked += 1
        recent.append(now)
    }

    mutating func forget(_ track: String) {
        tracks[track] = nil
    }

    /// Forgets tracks that came to nothing.
    mutating func forget(allBut known: Set<String>) {
        tracks = tracks.filter { known.contains($0.key) }
    }

    /// The observations of a track since the last request, or since its beginning; reading it begins a new stretch.
    mutating func takeStretch(of id: String) -> DedupRecord.Represents? {
        guard let track = tracks[id], track.observations > 0 else { return nil }
        tracks[id]?.observations = 0
        tracks[id]?.firstTime = track.lastTime
        return DedupRecord.Represents(
            observations: track.observations,
            firstMediaTimeSeconds: track.firstTime,
            lastMediaTimeSeconds: track.lastTime
        )
    }

    // MARK: - Rules

    /// What the track wants now; an open wish goes on, but a change that went back is none.
    private func wish(of track: Track, _ look: Look) -> Wish? {
        guard let last = track.last else {
            if let wish = track.wish { return wish }
            return usableQuality(look) == nil ? nil : Wish(reason: .new, since: look.time)
        }
        let elapsed = look.time - last.time
        let aspects = elapsed >= settings.changeSpacing ? look.appearance.changes(since: last.appearance) : []
        let reason: DescriptionRequest.Reason
        if !aspects.isEmpty {
            reason = .changed(aspects)
        } else if elapsed >= settings.refreshInterval {
            reason = .refresh
        } else {
            return nil
        }
        guard let wish = track.wish else { return Wish(reason: reason, since: look.time) }
        // A picture from before the newest change does not show it.
        let isCurrent = wish.best.map { look.appearance.changes(since: $0.appearance).isEmpty } ?? true
        return wish.reason == reason && isCurrent ? wish : Wish(reason: reason, since: wish.since)
    }

    private mutating func grant(_ wish: Wish, of track: inout Track) {
        track.asked += 1
        track.before = track.last
        track.last = (now, wish.best?.appearance ?? .init())
        track.wish = nil
        recent.append(now)
    }

    /// The look as a picture to ask about; nil where it shows too little of a face to be worth a description at all.
    private func shot(_ look: Look, for reason: DescriptionRequest.Reason) -> Shot? {
        guard let quality = usableQuality(look) else { return nil }
        // A face that turned away will not look frontal soon.
        let isTurning = if case .changed(let aspects) = reason { aspects.contains(.pose) } else { false }
        let isGood =
            quality.unifiedScore >= settings.goodQuality && quality.sharpness >= settings.goodSharpness
            && quality.interEyeDistance >= settings.goodEyeDistance && (isTurning || look.turn <= settings.goodTurn)
        return Shot(quality: quality.unifiedScore, isGood: isGood, appearance: look.appearance)
    }

    private func usableQuality(_ look: Look) -> FaceQuality? {
        guard let quality = look.quality, quality.isReadable, look.width >= settings.minimumWidth else { return nil }
        return quality
    }

    /// Time goes on, or begins anew with an epoch.
    private mutating func advance(to time: Double) {
        if time < now {
            for index in recent.indices { recent[index] += time - now }
        }
        now = time
        recent.removeAll { time - $0 >= 3600 }
    }
}
