/// What other stages measured on a face, in words for the model.
///
/// Small models tell poses about as well as chance does; given the measured pose, they need not guess.
package struct PerceptionFacts: Sendable, Hashable {
    /// A side as the viewer of the image sees it.
    package enum Side: String, Sendable, Hashable { case left, right }

    package enum Turn: Sendable, Hashable {
        case frontal
        case slightly(Side)
        case clearly(Side)
        case far(Side)
    }

    package enum Nod: String, Sendable, Hashable { case level, up, down }
    package enum Eyes: String, Sendable, Hashable { case open, closed, mixed }

    package enum Mouth: String, Sendable, Hashable {
        case closed, open
        case wideOpen = "wide open"
    }

    /// Nil where a thing was not measured or is unsure, here and below.
    package var turn: Turn?
    package var nod: Nod?
    /// The side to which the top of the head leans; nil also when it is upright.
    package var tilt: Side?
    package var eyes: Eyes?
    package var mouth: Mouth?
    /// Further measured things in a few words each; `"wears glasses"`.
    package var others: [String]

    package init(
        turn: Turn? = nil,
        nod: Nod? = nil,
        tilt: Side? = nil,
        eyes: Eyes? = nil,
        mouth: Mouth? = nil,
        others: [String] = []
    ) {
        self.turn = turn
        self.nod = nod
        self.tilt = tilt
        self.eyes = eyes
        self.mouth = mouth
        self.others = others
    }

    /// "Measured: head turned slightly to the viewer's left, eyes closed."; nil when nothing was measured.
    package var sentence: String? {
        var parts: [String] = []
        switch turn {
        case .frontal: parts.append("head facing the camera")
        case .slightly(let side): parts.append("head turned slightly to the viewer's \(side.rawValue)")
        case .clearly(let side): parts.append("head turned to the viewer's \(side.rawValue)")
        case .far(let side): parts.append("head turned far to the viewer's \(side.rawValue)")
        case nil: break
        }
        switch nod {
        case .up: parts.append("head raised")
        case .down: parts.append("head lowered")
        case .level, nil: break
        }
        if let tilt { parts.append("head tilted to the viewer's \(tilt.rawValue)") }
        switch eyes {
        case .mixed: parts.append("one eye closed")
        case let eyes?: parts.append("eyes \(eyes.rawValue)")
        case nil: break
        }
        if let mouth { parts.append("mouth \(mouth.rawValue)") }
        parts += others.filter { !$0.isEmpty }
        return parts.isEmpty ? nil : "Measured: \(parts.joined(separator: ", "))."
    }
}
