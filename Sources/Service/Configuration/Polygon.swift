/// A part of the picture, in ratios of the displayed frame: (0, 0) top left, (1, 1) bottom right.
package struct Polygon: Sendable, Hashable {
    package struct Point: Sendable, Hashable {
        package let x: Double
        package let y: Double

        package init(_ x: Double, _ y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// 3 or more, in order around it.
    package let points: [Point]

    package static let mostPoints = 64

    /// - Throws: what is wrong with the points.
    package init(_ points: [Point]) throws(ValueError) {
        if let problem = Self.problem(points) { throw ValueError(description: problem) }
        self.points = points
    }

    /// Whether a point lies inside; on the edge either may be said.
    package func contains(_ point: Point) -> Bool {
        var isInside = false
        for (index, a) in points.enumerated() {
            let b = points[(index + 1) % points.count]
            guard (a.y > point.y) != (b.y > point.y) else { continue }
            if point.x < a.x + (point.y - a.y) / (b.y - a.y) * (b.x - a.x) { isInside.toggle() }
        }
        return isInside
    }

    // MARK: - Checks

    private static func problem(_ points: [Point]) -> String? {
        guard (3...mostPoints).contains(points.count) else {
            return "a polygon has 3 to \(mostPoints) points, not \(points.count)"
        }
        guard points.allSatisfy({ (0...1).contains($0.x) && (0...1).contains($0.y) }) else {
            return "coordinates are ratios of the picture, 0 to 1"
        }
        for first in points.indices {
            for second in points.indices where second > first {
                if points[first] == points[second] {
                    return "points \(first + 1) and \(second + 1) are the same; the last needs no repetition"
                }
                let isNext = second == first + 1 || first == 0 && second == points.count - 1
                if !isNext, cross(points, first, second) {
                    return "the edges from points \(first + 1) and \(second + 1) cross; name the points in order around"
                }
            }
        }
        let area = points.indices.reduce(0.0) { sum, index in
            let (a, b) = (points[index], points[(index + 1) % points.count])
            return sum + a.x * b.y - b.x * a.y
        }
        return abs(area) / 2 < 1e-6 ? "the polygon has no area" : nil
    }

    /// Whether the edges that begin at two points touch.
    private static func cross(_ points: [Point], _ first: Int, _ second: Int) -> Bool {
        let (a, b) = (points[first], points[(first + 1) % points.count])
        let (c, d) = (points[second], points[(second + 1) % points.count])
        let sides = (side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b))
        if sides.0 * sides.1 < 0 && sides.2 * sides.3 < 0 { return true }
        return sides.0 == 0 && isWithin(a, b, c) || sides.1 == 0 && isWithin(a, b, d)
            || sides.2 == 0 && isWithin(c, d, a) || sides.3 == 0 && isWithin(c, d, b)
    }

    /// Positive to the one side of the line from `a` to `b`, negative to the other.
    private static func side(_ a: Point, _ b: Point, _ point: Point) -> Double {
        ((b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x)).sign(within: 1e-12)
    }

    private static func isWithin(_ a: Point, _ b: Point, _ point: Point) -> Bool {
        (min(a.x, b.x)...max(a.x, b.x)).contains(point.x) && (min(a.y, b.y)...max(a.y, b.y)).contains(point.y)
    }
}

extension Double {
    /// -1, 0 or 1.
    fileprivate func sign(within tolerance: Double) -> Double { abs(self) <= tolerance ? 0 : self < 0 ? -1 : 1 }
}

struct PolygonFormat: ValueFormat {
    var kind: String { "polygon `[[x, y], …]` of 3 to \(Polygon.mostPoints) points, ratios 0 to 1" }

    func read(_ node: ConfigurationNode, _ path: String, _ reading: inout ConfigurationReading) -> Polygon? {
        guard case .list(let items) = node.content else {
            reading.refuse(node, path, expected: kind)
            return nil
        }
        var points: [Polygon.Point] = []
        let ratio = NumberFormat(range: 0...1)
        for (index, item) in items.enumerated() {
            let place = "\(path)[\(index)]"
            guard case .list(let pair) = item.content, pair.count == 2 else {
                reading.refuse(item, place, expected: "a point `[x, y]`")
                return nil
            }
            guard let x = ratio.read(pair[0], place, &reading), let y = ratio.read(pair[1], place, &reading) else {
                return nil
            }
            points.append(.init(x, y))
        }
        do {
            return try Polygon(points)
        } catch {
            reading.refuse(node, path, error.description)
            return nil
        }
    }

    func text(_ value: Polygon) -> String {
        let number = NumberFormat(range: 0...1)
        let points = value.points.map { "[\(number.text($0.x)), \(number.text($0.y))]" }
        return "[\(points.joined(separator: ", "))]"
    }
}
