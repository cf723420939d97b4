/// What a recorded file has to tell, held back until several of its faces can be described together.
///
/// Faces come one after the other in a video; a describer that takes several together is asked about a stretch of it at
/// once. Lines wait for the answers before them, so that their order is the same as without. Bounded in faces, in media
/// time and in lines; where no face waits, nothing is held.
struct HeldSteps {
    /// Seconds of media time that are looked ahead for more faces: with five looks a second, about as much work as one
    /// description.
    static let span = 10.0
    /// Steps that are held at most; one with a mesh of 468 points has some ten kilobytes.
    static let capacity = 512

    private(set) var steps: [(step: DescriptionStage.Step, epoch: Int)] = []
    private var tracks: Set<String> = []
    private var since: Double?

    /// Whether what is held has to be told before `step`: the describer is told what it said of a face before.
    func mustGo(before step: DescriptionStage.Step) -> Bool {
        if case .ask(let request) = step { tracks.contains(request.trackID) } else { false }
    }

    mutating func add(_ step: DescriptionStage.Step, epoch: Int, at time: Double?) {
        steps.append((step, epoch))
        guard case .ask(let request) = step else { return }
        tracks.insert(request.trackID)
        if since == nil { since = time }
    }

    /// Whether there is nothing to wait for any more.
    ///
    /// - Parameters:
    ///   - faces: that are described together, at most.
    ///   - time: of the last frame; nil at the end of a timeline.
    func isDue(faces: Int, at time: Double?) -> Bool {
        guard let since, let time else { return true }
        return tracks.count >= faces || steps.count >= Self.capacity || time - since >= Self.span
    }

    mutating func removeAll() -> [(step: DescriptionStage.Step, epoch: Int)] {
        defer { self = HeldSteps() }
        return steps
    }
}
