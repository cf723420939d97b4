package import Imaging

/// A picture's brightness, so coarse that a frozen picture stays equal through its encoder's noise.
///
/// A camera that looks at something still differs: its sensor's noise moves some of the 2304 means by one.
package struct PictureThumbnail: Sendable, Hashable {
    private static let columns = 64
    private static let rows = 36
    /// Each mean is over so many samples, squared.
    private static let samples = 4

    private let size: Size
    private let means: [UInt8]

    package init(_ picture: Picture) {
        size = picture.size
        let plane = picture.planes[0]
        let (width, height) = (plane.size.width, plane.size.height)
        let across = Self.columns * Self.samples, down = Self.rows * Self.samples
        let places = (0..<across).map { ($0 * 2 + 1) * width / (2 * across) }
        var sums = [Int](repeating: 0, count: Self.columns * Self.rows)
        for y in 0..<down {
            let row = plane.base + ((y * 2 + 1) * height / (2 * down)) * plane.stride
            let start = (y / Self.samples) * Self.columns
            for x in 0..<across { sums[start + x / Self.samples] += Int(row[places[x]]) }
        }
        let count = Self.samples * Self.samples
        means = sums.map { UInt8(($0 + count / 2) / count) }
    }
}
