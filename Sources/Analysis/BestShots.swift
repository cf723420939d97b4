internal import Faces

/// The few best pictures of a face: what age and gender are averaged over, and which moment shows it best.
struct BestShots: Sendable {
    struct Shot: Sendable {
        /// 0–100.
        var quality: Float
        var mediaTime: Double
        var frameIndex: Int
        var estimate: AgeGenderClassifier.Estimate?
    }

    /// Averages settle after a handful.
    private static let capacity = 5
    /// A new shot is worth an answer of the networks when it is better than the worst kept one by so much.
    private static let gain: Float = 5
    /// Shots of the same moment tell the same: seconds between two kept ones.
    private static let spacing = 0.4

    private(set) var shots: [Shot] = []

    var best: Shot? { shots.max { $0.quality < $1.quality } }

    /// Whether a picture of `quality` at `time` would be kept.
    func wants(quality: Float, at time: Double) -> Bool {
        if let last = shots.map(\.mediaTime).max(), time - last < BestShots.spacing,
            quality < worst + 3 * BestShots.gain
        {
            return false
        }
        return shots.count < BestShots.capacity || quality > worst + BestShots.gain
    }

    private var worst: Float { shots.map(\.quality).min() ?? 0 }

    mutating func keep(_ shot: Shot) {
        if shots.count >= BestShots.capacity,
            let index = shots.indices.min(by: { shots[$0].quality < shots[$1].quality })
        {
            shots.remove(at: index)
        }
        shots.append(shot)
    }

    /// Years and probability of male, weighted by quality; nil where no shot was asked about.
    var estimate: (years: Float, spread: Float, probabilityOfMale: Float)? {
        var weight: Float = 0, years: Float = 0, spread: Float = 0, male: Float = 0
        for shot in shots {
            guard let estimate = shot.estimate else { continue }
            weight += shot.quality
            years += shot.quality * estimate.years
            spread += shot.quality * estimate.spread
            male += shot.quality * estimate.probabilityOfMale
        }
        return weight > 0 ? (years / weight, spread / weight, male / weight) : nil
    }
}
