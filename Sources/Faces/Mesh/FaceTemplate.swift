package import FoundationEssentials

/// The mean face: what a mesh is compared with to tell how a head is turned and what its face does.
///
/// The symmetrised Procrustes mean of the meshes of the photographs that `scripts/fit-expression` is given, scaled so
/// that the outer eye corners lie 1 apart. Its frame is a frontal, upright head: x to the right edge of the image,
/// y down, z away from the camera.
package struct FaceTemplate: Sendable, Hashable {
    package let points: [Point3]
    /// The points that move little with the face's muscles: nose bridge, eye corners, forehead, cheekbones.
    package let rigid: [Int]
    /// The point on the other side of the face for each point.
    package let mirror: [Int]

    package init(points: [Point3], rigid: [Int], mirror: [Int]) throws(FacesError) {
        let indices = 0..<FaceMesh.count
        guard points.count == FaceMesh.count, mirror.count == FaceMesh.count, rigid.count >= 8 else {
            throw FacesError(
                .readParameters,
                subject: "face-template.json",
                reason: "expected 468 points, as many mirrored indices and 8 or more rigid ones, "
                    + "found \(points.count), \(mirror.count) and \(rigid.count)"
            )
        }
        if let wrong = (rigid + mirror).first(where: { !indices.contains($0) }) {
            throw FacesError(
                .readParameters,
                subject: "face-template.json",
                reason: "there is no point \(wrong) in a mesh of 468"
            )
        }
        self.points = points
        self.rigid = rigid
        self.mirror = mirror
    }

    /// The template that the project ships.
    package static func standard() throws(FacesError) -> FaceTemplate {
        try FaceTemplate(json: Data(PackageResources.face_template_json))
    }

    package init(json: Data) throws(FacesError) {
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: json)
        } catch {
            throw FacesError(.readParameters, subject: "face-template.json", reason: "it cannot be read: \(error)")
        }
        guard file.points.allSatisfy({ $0.count == 3 }) else {
            throw FacesError(.readParameters, subject: "face-template.json", reason: "a point needs 3 coordinates")
        }
        try self.init(
            points: file.points.map { Point3($0[0], $0[1], $0[2]) },
            rigid: file.rigid,
            mirror: file.mirror
        )
    }

    /// The file's text: points rounded to 5 decimals.
    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        func rounded(_ v: Float) -> Float { (v * 1e5).rounded() / 1e5 }
        return try encoder.encode(
            File(points: points.map { [rounded($0.x), rounded($0.y), rounded($0.z)] }, rigid: rigid, mirror: mirror)
        )
    }

    private struct File: Codable {
        var points: [[Float]]
        var rigid: [Int]
        var mirror: [Int]
    }

    /// How the template has to be turned, scaled and moved to lie on `mesh`, by the rigid points.
    package func fit(_ mesh: FaceMesh) -> RigidFit? {
        RigidFit(source: rigid.map { points[$0] }, target: rigid.map { mesh.points[$0] })
    }

    /// The mesh in the template's frame: pose, size and place removed; what remains is shape and expression.
    package func poseFree(_ mesh: FaceMesh, fit: RigidFit) -> [Point3] {
        mesh.points.map(fit.unapply)
    }

    /// A pose-free mesh as if seen in a mirror.
    package func mirrored(_ points: [Point3]) -> [Point3] {
        mirror.map { Point3(-points[$0].x, points[$0].y, points[$0].z) }
    }
}
