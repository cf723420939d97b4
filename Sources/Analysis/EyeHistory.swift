internal import Events
internal import Faces

/// Tells closed eyes from narrow ones by what is usual for the face, in bounded memory.
struct EyeHistory: Sendable {
    /// Below, eyes are closed whoever it is: 5 % of photographs lie there, nearly all with closed eyes.
    private static let closed: Float = 0.19
    /// Below, eyes are closed if they are usually much wider.
    static let narrow: Float = 0.26
    private static let shareOfUsual: Float = 0.68
    private static let samplesForUsual: Int32 = 10

    private var counts = [Int32](repeating: 0, count: 64)
    private var total: Int32 = 0

    mutating func see(_ measures: FaceMeasures) -> EyesState? {
        guard let openness = measures.eyeOpenness else { return nil }
        counts[max(0, min(63, Int(openness * 100)))] &+= 1
        total &+= 1
        if let right = measures.eyeOpennessRight, let left = measures.eyeOpennessLeft,
            min(right, left) < EyeHistory.closed - 0.02, max(right, left) > EyeHistory.narrow
        {
            return .mixed
        }
        if openness < EyeHistory.closed { return .closed }
        if openness < EyeHistory.narrow, let usual, openness < EyeHistory.shareOfUsual * usual { return .closed }
        return .open
    }

    /// The 80th percentile; nil before there are enough samples.
    private var usual: Float? {
        guard total >= EyeHistory.samplesForUsual else { return nil }
        var sum: Int32 = 0
        for (bin, count) in counts.enumerated() {
            sum &+= count
            if Double(sum) >= 0.8 * Double(total) { return (Float(bin) + 0.5) / 100 }
        }
        return nil
    }
}
