/// Tells cuts from movement: a picture that differs from the last one far more than pictures have been differing.
///
/// The difference is the mean over a 24 x 24 thumbnail of the largest channel's change; a cut exceeds a fixed limit and
/// a multiple of the recent mean (the rule of PySceneDetect's adaptive detector, with limits for pictures 0.2 s apart).
package struct SceneChange: Sendable {
    /// Of 255: below, a change is never a cut.
    ///
    /// Hard cuts between unlike pictures lie at 40 to 90.
    private static let limit: Float = 24
    /// Times the recent mean.
    private static let ratio: Float = 3

    private var last: [Float] = []
    private var recent: Float = 0

    package init() {}

    /// Looks at the next sampled picture.
    ///
    /// - Returns: true for the first picture after a cut.
    package mutating func see(_ pyramid: Pyramid) -> Bool {
        let side = 24
        let size = pyramid.size
        let map = AffineMap(
            a: Float(size.width) / Float(side),
            b: 0,
            tx: 0,
            c: 0,
            d: Float(size.height) / Float(side),
            ty: 0
        )
        let thumbnail = pyramid.glance(map, side: side)
        defer { last = thumbnail }
        guard last.count == thumbnail.count else { return false }
        var total: Float = 0
        for pixel in stride(from: 0, to: thumbnail.count, by: 3) {
            total += max(
                abs(thumbnail[pixel] - last[pixel]),
                abs(thumbnail[pixel + 1] - last[pixel + 1]),
                abs(thumbnail[pixel + 2] - last[pixel + 2])
            )
        }
        let difference = total / Float(side * side)
        let isCut = difference > SceneChange.limit && difference > SceneChange.ratio * recent
        // A cut says little about how much the new scene moves, but many in a row are movement: a camera that swings.
        recent += 0.3 * ((isCut ? min(difference, SceneChange.limit) : difference) - recent)
        return isCut
    }
}
