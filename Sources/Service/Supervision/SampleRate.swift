/// How many samples a second were looked at lately.
struct SampleRate: Sendable {
    private static let capacity = 32
    /// Seconds after which silence counts as standstill.
    private static let patience = 10.0

    private var times: [Double] = []

    /// - Parameter now: seconds on a clock that nobody sets.
    mutating func add(at now: Double) {
        times.append(now)
        if times.count > Self.capacity { times.removeFirst() }
    }

    mutating func reset() { times = [] }

    /// Nil until there are two samples; 0 when they have stopped.
    func perSecond(at now: Double) -> Double? {
        guard let first = times.first, let last = times.last, last > first else { return nil }
        if now - last > Self.patience { return 0 }
        return (Double(times.count - 1) / (last - first) * 100).rounded() / 100
    }
}
