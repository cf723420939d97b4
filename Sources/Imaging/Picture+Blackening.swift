/// Parts of pictures that nobody is to look at.
extension Picture {
    /// A copy in which the insides of polygons are black.
    ///
    /// Only the stored planes are copied; a pixel that a polygon touches at all is black.
    ///
    /// - Parameter polygons: corners in ratios of the displayed picture, 0–1.
    package func blackened(_ polygons: [[Point]]) -> Picture {
        guard !polygons.isEmpty else { return self }
        let full = planes[0].size
        let storage = ByteStorage(count: planes.reduce(0) { $0 + $1.size.width * $1.size.height })
        var copies: [Plane] = []
        var offset = 0
        for (index, plane) in planes.enumerated() {
            let target = storage.mutableBase + offset
            for row in 0..<plane.size.height {
                (target + row * plane.size.width).update(from: plane.base + row * plane.stride, count: plane.size.width)
            }
            let black = UInt8(max(0, min(255, color.offset[index])))
            let scale = Point(
                x: Float(plane.size.width) / Float(max(1, full.width)),
                y: Float(plane.size.height) / Float(max(1, full.height))
            )
            for polygon in polygons {
                let corners = polygon.map { corner in
                    let stored = displayToStored.apply(
                        Point(x: corner.x * Float(size.width), y: corner.y * Float(size.height))
                    )
                    return Point(x: stored.x * scale.x, y: stored.y * scale.y)
                }
                Self.fill(corners, with: black, in: target, plane.size)
            }
            copies.append(Plane(base: storage.base + offset, stride: plane.size.width, size: plane.size))
            offset += plane.size.width * plane.size.height
        }
        return Picture(
            planes: copies,
            color: color,
            size: size,
            displayToStored: displayToStored,
            storage: storage
        )
    }

    /// Fills row by row what lies between the odd and the even crossings with the edges.
    private static func fill(_ corners: [Point], with value: UInt8, in base: UnsafeMutablePointer<UInt8>, _ size: Size)
    {
        for row in 0..<size.height {
            // Both ends and the middle of the row's height, so that slanted edges take every pixel that they touch.
            for part: Float in [0.001, 0.5, 0.999] {
                let crossings = corners.crossings(atHeight: Float(row) + part)
                for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                    let left = Int(max(0, min(Float(size.width), crossings[pair].rounded(.down))))
                    let right = Int(max(0, min(Float(size.width), crossings[pair + 1].rounded(.up))))
                    guard left < right else { continue }
                    (base + row * size.width + left).update(repeating: value, count: right - left)
                }
            }
        }
    }
}

extension [Point] {
    /// Whether a point lies inside of the polygon with these corners; on an edge either may be said.
    package func surrounds(_ point: Point) -> Bool {
        crossings(atHeight: point.y).count { $0 > point.x }.isMultiple(of: 2) == false
    }

    /// Where the polygon's edges cross a horizontal line, from left to right; always an even number.
    fileprivate func crossings(atHeight y: Float) -> [Float] {
        var crossings: [Float] = []
        for (index, a) in enumerated() {
            let b = self[(index + 1) % count]
            if (a.y > y) != (b.y > y) { crossings.append(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x)) }
        }
        return crossings.sorted()
    }
}
