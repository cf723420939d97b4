internal import Events
package import FaceLLM
internal import Faces

extension PerceptionFacts {
    /// What perception measured, in the words that the model is told.
    package init(_ facts: Sentence.Facts) {
        self.init()
        if let pose = facts.pose {
            let sector = PoseSector(pose)
            let side: Side = sector.isRight ? .right : .left
            turn =
                switch sector.turn {
                case .none: .frontal
                case .slight: .slightly(side)
                case .clear: .clearly(side)
                case .far: .far(side)
                }
            nod =
                switch sector.nod {
                case .level: .level
                case .up: .up
                case .down: .down
                }
            // The top of a head that tilts clockwise leans to the viewer's right.
            tilt = sector.isTilted ? (sector.tiltsClockwise ? .right : .left) : nil
        }
        eyes = facts.eyes.flatMap { Eyes(rawValue: $0.rawValue) }
        mouth =
            switch facts.mouth {
            case .closed: .closed
            case .open: .open
            case .wideOpen: .wideOpen
            case nil: nil
            }
    }
}
