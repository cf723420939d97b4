/// How far the mouth is open.
package enum MouthOpening: String, Sendable, Hashable {
    case closed, open
    case wideOpen = "wide_open"
}

/// Measures of a face's muscles: distances in the pose-free mesh, in outer eye corner distances, and what follows.
///
/// The zero of an intensity is about the 75th percentile of photographs labelled neutral, its full value the 90th to
/// 95th of those labelled with the expression that goes with it. Derived from a mesh, these are approximations of the
/// Facial Action Coding System, not its scores: AU6 and AU12 tell well (area under the curve 0.86 and 0.93), AU25 and
/// AU26 fairly (0.78, 0.70), the brows' weakly (0.6), since brows differ more between people than they move.
package struct FaceMeasures: Sendable, Hashable {
    /// Distance of the inner lips.
    package var mouthGap: Float
    /// `mouthGap` over the width of the mouth's inside.
    package var mouthOpenness: Float
    /// Distance of the mouth's corners.
    package var mouthWidth: Float
    /// How much higher than the middle of the lips the mouth's corners are.
    package var mouthCornerLift: Float
    /// Inner brows above the inner eye corners.
    package var innerBrowHeight: Float
    /// Outer brows above the outer eye corners.
    package var outerBrowHeight: Float
    /// The inner ends of the brows above the inner eye corners: small when frowning.
    package var browEndHeight: Float
    /// Cheeks below the lower lids: small when they are raised.
    package var cheekDrop: Float
    /// By `EyeContour`; nil where the face is too small or turned too far.
    package var eyeOpennessRight: Float?
    package var eyeOpennessLeft: Float?
    /// The head's pitch, degrees: seen from above or below, distances shrink.
    private let pitch: Float

    /// - Parameters:
    ///   - points: the mesh in the template's frame.
    ///   - mirrored: the same, mirrored: measures of one side are averaged with the other's.
    package init(poseFree points: [Point3], template: FaceTemplate, pitch: Float) {
        let mirrored = template.mirrored(points)
        func y(_ p: [Point3], _ indices: Int...) -> Float {
            indices.reduce(0) { $0 + p[$1].y } / Float(indices.count)
        }
        func distance(_ a: Int, _ b: Int) -> Float {
            let dx = points[a].x - points[b].x, dy = points[a].y - points[b].y
            return (dx * dx + dy * dy).squareRoot()
        }
        func bothSides(_ measure: ([Point3]) -> Float) -> Float { (measure(points) + measure(mirrored)) / 2 }

        mouthGap =
            (points[14].y - points[13].y + points[87].y - points[82].y + points[317].y - points[312].y) / 3
        mouthOpenness = mouthGap / max(1e-3, distance(78, 308))
        mouthWidth = distance(61, 291)
        mouthCornerLift = y(points, 0, 17) - y(points, 61, 291)
        innerBrowHeight = bothSides { y($0, 133) - y($0, 55, 107, 66) }
        outerBrowHeight = bothSides { y($0, 33) - y($0, 70, 63, 105) }
        browEndHeight = bothSides { y($0, 133) - y($0, 55) }
        cheekDrop = bothSides { y($0, 117, 118) - y($0, 145) }
        self.pitch = pitch
    }

    /// The median of photographs labelled neutral.
    package static let usualBrowEndHeight: Float = 0.159

    /// Smaller gaps are closed lips, or too little to tell.
    package static let openGap: Float = 0.06
    /// From this share of its width on, a mouth is wide open.
    package static let wideOpenness: Float = 0.33

    package var mouth: MouthOpening { mouth(after: nil) }

    /// - Parameter last: the state before; leaving it takes a little more than its limit, since a turned face's gap
    ///   wavers by 0.01.
    package func mouth(after last: MouthOpening?) -> MouthOpening {
        func limit(_ value: Float, slack: Float, isPassed: Bool) -> Float {
            last == nil ? value : isPassed ? value - slack : value + slack
        }
        if mouthOpenness >= limit(Self.wideOpenness, slack: 0.03, isPassed: last == .wideOpen) { return .wideOpen }
        return mouthGap >= limit(Self.openGap, slack: 0.01, isPassed: last != .closed) ? .open : .closed
    }

    /// The mean of both eyes, or the one that was seen.
    package var eyeOpenness: Float? {
        switch (eyeOpennessRight, eyeOpennessLeft) {
        case let (right?, left?): (right + left) / 2
        case let (one?, nil), let (nil, one?): one
        case (nil, nil): nil
        }
    }
}

extension FaceMeasures {
    /// Units of the Facial Action Coding System that a mesh can approximate.
    package enum ActionUnit: String, Sendable, Hashable, CaseIterable {
        case innerBrowRaiser = "AU01"
        case outerBrowRaiser = "AU02"
        case browLowerer = "AU04"
        case cheekRaiser = "AU06"
        case lipCornerPuller = "AU12"
        case lipsPart = "AU25"
        case jawDrop = "AU26"
        case eyesClosed = "AU43"
    }

    /// Approximate intensities, 0–5.
    ///
    /// AU43 stands for AU45 too: a blink is a short one.
    package var actionUnits: [ActionUnit: Float] {
        /// `slope` takes out what pitch alone does to the measure.
        func intensity(_ measure: Float, slope: Float = 0, zero: Float, one: Float) -> Float {
            5 * max(0, min(1, (measure - slope * pitch - zero) / (one - zero)))
        }
        var units: [ActionUnit: Float] = [
            .innerBrowRaiser: intensity(innerBrowHeight, slope: -0.0007, zero: 0.240, one: 0.290),
            .outerBrowRaiser: intensity(outerBrowHeight, zero: 0.226, one: 0.270),
            .browLowerer: intensity(browEndHeight, slope: -0.0005, zero: 0.145, one: 0.115),
            .cheekRaiser: intensity(cheekDrop, slope: -0.00035, zero: 0.158, one: 0.128),
            .lipCornerPuller:
                (intensity(mouthWidth, slope: -0.0008, zero: 0.575, one: 0.750)
                + intensity(mouthCornerLift, slope: -0.0004, zero: 0.020, one: 0.085)) / 2,
            .lipsPart: intensity(mouthGap, zero: 0.045, one: 0.170),
            .jawDrop: intensity(mouthOpenness, zero: 0.200, one: 0.450),
        ]
        if let eyeOpenness { units[.eyesClosed] = intensity(eyeOpenness, zero: 0.26, one: 0.14) }
        return units
    }
}
