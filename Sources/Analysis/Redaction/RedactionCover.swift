package import Imaging

/// How little is left of a face that is pixelated.
package enum RedactionStrength: Int, Sendable, CaseIterable, Comparable {
    /// About four blocks over a covered region's height, never more than five and a half: of seven the detector still
    /// took one in two for a face.
    case fine
    /// About two blocks.
    case coarse
    /// One colour.
    case plain

    package static func < (a: RedactionStrength, b: RedactionStrength) -> Bool { a.rawValue < b.rawValue }

    /// The next one; nil after the last.
    package var next: RedactionStrength? { RedactionStrength(rawValue: rawValue + 1) }

    /// Blocks over the height of a region at most; nil for one colour.
    private var mostBlocks: Float? {
        switch self {
        case .fine: 5.5
        case .coarse: 3.3
        case .plain: nil
        }
    }

    /// The side of a block for a region; nil for one colour.
    ///
    /// A size that is in use stays while it leaves neither too many blocks nor hardly any, so that blocks keep their
    /// places while a face comes nearer by and by.
    ///
    /// - Parameters:
    ///   - height: of the region; the result is in its unit.
    ///   - last: the size in use.
    func block(height: Float, last: Float?) -> Float? {
        guard let most = mostBlocks else { return nil }
        if let last, last > 0, case let blocks = height / last, blocks <= most, blocks >= most / 2 { return last }
        return height / (0.7 * most)
    }
}

/// One region that is covered, at one moment.
package struct RedactionCover: Sendable, Hashable {
    /// The track of the plan that it belongs to.
    package var track: Int
    /// In ratios of the frame, or in pixels: who makes it says which.
    package var region: Rect
    package var strength: RedactionStrength
    /// The side of a block, in ratios of the frame's height or in pixels; nil for one colour.
    package var block: Float?

    package init(track: Int, region: Rect, strength: RedactionStrength, block: Float?) {
        self.track = track
        self.region = region
        self.strength = strength
        self.block = block
    }
}
