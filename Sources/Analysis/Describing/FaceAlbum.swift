internal import FaceLLM

/// The pictures of one face that its description is made from: few, good ones, spread over the time it has been seen.
///
/// When it is full, the worse of the two moments that lie closest goes. So a face that stays gets moments ever further
/// apart, and of each stretch the best picture.
struct FaceAlbum: Sendable {
    struct Moment: Sendable {
        /// Seconds of media time.
        var time: Double
        /// The `unified_score` of the shot, 0–100.
        var quality: Float
        var picture: RGBImage
    }

    let capacity: Int
    /// In the order of time.
    private(set) var moments: [Moment] = []

    /// - Parameter capacity: 1 or more.
    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// Whether a picture of now would be kept: known before it is cut out.
    ///
    /// - Parameter time: after that of every moment that is kept.
    func wants(_ quality: Float, at time: Double) -> Bool {
        place(quality, time) != nil
    }

    /// Keeps a picture, if it is wanted.
    mutating func add(_ moment: Moment) {
        guard let gone = place(moment.quality, moment.time) else { return }
        moments.append(moment)
        if moments.count > capacity { moments.remove(at: gone) }
    }

    /// The moment that would go for one more; nil where it would be that one itself.
    private func place(_ quality: Float, _ time: Double) -> Int? {
        guard moments.count >= capacity else { return moments.count }
        let times = moments.map(\.time) + [time], qualities = moments.map(\.quality) + [quality]
        let gaps = zip(times, times.dropFirst()).map { earlier, later in later - earlier }
        guard let closest = gaps.indices.min(by: { gaps[$0] < gaps[$1] }).map({ $0 + 1 }) else { return nil }
        let gone = qualities[closest] > qualities[closest - 1] ? closest - 1 : closest
        return gone == moments.count ? nil : gone
    }
}
