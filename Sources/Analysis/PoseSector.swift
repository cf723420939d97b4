package import Faces

/// A pose in words' coarseness: what counts as a change worth an event.
package struct PoseSector: Sendable, Hashable {
    package enum Turn: Sendable, Hashable {
        case none, slight, clear, far
    }

    package enum Nod: Sendable, Hashable {
        case level, up, down
    }

    package var turn: Turn
    /// Towards the right edge of the image; without meaning when `turn` is none.
    package var isRight: Bool
    package var nod: Nod
    package var isTilted: Bool
    package var tiltsClockwise: Bool

    /// Limits in degrees between the words.
    private enum Limit {
        static let slight: Float = 10, clear: Float = 25, far: Float = 50
        static let nod: Float = 12
        static let tilt: Float = 15
    }

    package init(_ pose: HeadPose) {
        self.init(pose, after: nil)
    }

    /// - Parameter last: the sector before; leaving it takes 3 degrees more than its limit, so that a pose on a limit
    ///   does not flicker.
    package init(_ pose: HeadPose, after last: PoseSector?) {
        let slack: Float = 3
        let yaw = abs(pose.yaw)
        func limit(_ value: Float, isPassed: Bool) -> Float {
            last == nil ? value : isPassed ? value - slack : value + slack
        }
        let before = last?.turn ?? .none
        if yaw >= limit(Limit.far, isPassed: before == .far) {
            turn = .far
        } else if yaw >= limit(Limit.clear, isPassed: before == .far || before == .clear) {
            turn = .clear
        } else if yaw >= limit(Limit.slight, isPassed: before != .none) {
            turn = .slight
        } else {
            turn = .none
        }
        isRight = turn != .none && pose.yaw > 0
        if pose.pitch >= limit(Limit.nod, isPassed: last?.nod == .up) {
            nod = .up
        } else if -pose.pitch >= limit(Limit.nod, isPassed: last?.nod == .down) {
            nod = .down
        } else {
            nod = .level
        }
        isTilted = abs(pose.roll) >= limit(Limit.tilt, isPassed: last?.isTilted ?? false)
        tiltsClockwise = isTilted && pose.roll > 0
    }
}
