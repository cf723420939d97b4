package import Imaging

/// A face in one picture: where it is, how it is turned, how well it shows.
package struct PerceivedFace: Sendable {
    /// The tracker's number; nil where the face was too unsure to start a track.
    package var track: Int?
    /// The detector's box, displayed pixels.
    package var box: Rect
    /// The detector's score, or the mesh's where the detector did not see the face.
    package var score: Float
    /// Absent where the face is too small or the mesh network saw none.
    package var mesh: FaceMesh?
    /// Template → mesh.
    package var fit: RigidFit?
    package var pose: HeadPose?
    package var quality: FaceQuality?
}

/// What one sampled picture showed.
package struct PerceivedPicture: Sendable {
    package var faces: [PerceivedFace] = []
    package var update = Tracker.Update()
}

/// Detector, mesh and tracker: from a picture to faces with numbers.
///
/// One picture at a time, on the caller's thread.
///
/// Where a face was a moment ago, the mesh looks again at once (MediaPipe's face_landmarks_to_roi), which measures it
/// better than a first look by the detector's eyes; where the detector loses a face, the mesh may still find it.
package final class Perception {
    package struct Settings: Sendable, Hashable {
        package var tiling = Tiling.Mode.off
        /// Tiles a picture; nil for all of them.
        ///
        /// The whole picture's faces come in turn over several pictures.
        package var tilesPerPicture: Int?
        /// Faces a picture, the largest first.
        package var maximumFaces = 64
        /// Smaller faces are not reported, pixels.
        package var minimumFace: Float = 0
        /// Polygons in ratios of the picture; faces whose centre lies in none of them are not reported.
        ///
        /// Empty for the whole picture.
        package var zones: [[Point]] = []
        /// Seconds between two looks of the detector while the mesh alone holds every known face: it finds those again
        /// for a third of the time, and measures them better.
        ///
        /// New faces wait for the detector; at 0 it looks at every picture.
        package var detectorInterval = 0.5
        package var tracker = Tracker.Settings()

        package init() {}
    }

    /// Constants that were measured on test clips and photographs.
    enum Threshold {
        /// The detector's score below which a face is not followed; cars reach 0.48 in a tile now and then, never
        /// three times in a row.
        static let low: Float = 0.3
        /// The mesh's logit from which its points count; things that are no face stay below −1.5.
        static let presence: Float = 5
        /// The logit from which the mesh alone, without the detector, says that a lost face is still there.
        static let presenceAlone: Float = 16
        /// Pixels of the box from which a pose is right to about 3 degrees.
        static let poseWidth: Float = 16
        /// Seconds for which the last mesh tells better than the detector's eyes where to look.
        ///
        /// After longer ones a head may have turned so far that the mesh settles where it should not, up to 14 degrees
        /// off at 2 samples a second.
        static let meshMemory = 0.3
    }

    /// Pictures to let pass after the mesh network saw no face where the detector did.
    private static let meshPause = 3

    private struct Known {
        var box: Rect
        var mesh: FaceMesh
        /// The detector's last score.
        var score: Float
        var time: Double
    }

    package let settings: Settings
    package let template: FaceTemplate
    package var timings = StageTimings()
    private let finder: FaceFinder
    private let mesher: FaceMesher
    private var tracker: Tracker
    private var known: [Int: Known] = [:]
    private var lastDetection: Double?
    /// Tracks whose face is too blurred for a mesh, with the pictures to let pass before trying again.
    private var meshless: [Int: Int] = [:]

    package init(core: InferenceCore, models: ModelFolder, settings: Settings = Settings()) throws(FacesError) {
        self.settings = settings
        template = try FaceTemplate.standard()
        finder = try FaceFinder(
            core: core,
            models: models,
            mode: settings.tiling,
            tilesPerPicture: settings.tilesPerPicture
        )
        mesher = try FaceMesher(core: core, models: models)
        tracker = Tracker(settings: settings.tracker)
    }

    /// Looks at one picture.
    ///
    /// - Parameter time: seconds, not before the last picture's.
    package func look(at pyramid: Pyramid, time: Double) throws(FacesError) -> PerceivedPicture {
        let expected = tracker.expected(at: time)
        var faces: [PerceivedFace]
        if let held = try hold(expected, in: pyramid, at: time) {
            faces = held
        } else {
            lastDetection = time
            faces = try find(expecting: expected, in: pyramid, at: time)
        }
        faces.removeAll { !isInZone($0.box, pyramid.size) }
        let tracked = faces.map { face in
            TrackedFace(box: face.box, score: face.score, appearance: appearance(of: face, in: pyramid))
        }
        let update = tracker.update(tracked, at: time)
        var numbered = faces
        for index in numbered.indices {
            numbered[index].track = update.tracks[index]
            if let id = update.tracks[index], let mesh = faces[index].mesh {
                known[id] = Known(box: faces[index].box, mesh: mesh, score: faces[index].score, time: time)
            }
        }
        for id in update.ended + update.forgotten {
            known[id] = nil
            meshless[id] = nil
        }
        // What was too unsure to start a track and continued none was only a guess, not a face.
        numbered.removeAll { $0.track == nil && $0.score < settings.tracker.confidentScore }
        return PerceivedPicture(faces: numbered, update: update)
    }

    /// The faces of a picture that stands alone, the largest first; no track comes of them.
    package func faces(ofStill pyramid: Pyramid) throws(FacesError) -> [PerceivedFace] {
        let found = try finder.findInPortrait(pyramid, threshold: settings.tracker.confidentScore)
        var faces: [PerceivedFace] = []
        for face in found.prefix(settings.maximumFaces)
        where face.box.width >= settings.minimumFace && face.box.clipped(to: pyramid.size).area > 0 {
            faces.append(try measure(face, after: nil, in: pyramid))
        }
        return faces
    }

    /// Ends all tracks: the stream is over or its timeline broke.
    package func finish() -> Tracker.Update {
        known = [:]
        meshless = [:]
        lastDetection = nil
        return tracker.finish()
    }

    // MARK: - Parts

    private typealias Expected = [(id: Int, box: Rect, isBorn: Bool)]

    /// The known faces, found again by the mesh alone; nil when it is the detector's turn or a face was lost.
    private func hold(_ expected: Expected, in pyramid: Pyramid, at time: Double) throws(FacesError) -> [PerceivedFace]?
    {
        guard let lastDetection, time - lastDetection < settings.detectorInterval, !expected.isEmpty,
            expected.allSatisfy({ $0.isBorn && (known[$0.id]?.mesh.presence ?? 0) >= Threshold.presenceAlone })
        else { return nil }
        var faces: [PerceivedFace] = []
        for track in expected {
            guard let last = known[track.id], let face = try lookAgain(last, expected: track.box, in: pyramid),
                face.box.width >= settings.minimumFace, !faces.contains(where: { $0.box.iou(face.box) > 0.3 })
            else { return nil }
            faces.append(face)
        }
        return faces
    }

    /// The faces that the detector sees, and known ones that it lost and the mesh did not.
    private func find(expecting expected: Expected, in pyramid: Pyramid, at time: Double) throws(FacesError)
        -> [PerceivedFace]
    {
        let found = try timings.measure(.detector) { () throws(FacesError) in
            try finder.find(in: pyramid, threshold: Threshold.low)
        }.filter {
            $0.box.width >= settings.minimumFace && $0.box.clipped(to: pyramid.size).area > 0
                && isInZone($0.box, pyramid.size)
        }
        var faces: [PerceivedFace] = []
        var seen: Set<Int> = []
        for face in found.prefix(settings.maximumFaces) {
            let before = nearest(to: face.box, among: expected, except: seen)
            if let before { seen.insert(before) }
            if let before, let pause = meshless[before], pause > 0 {
                meshless[before] = pause - 1
                faces.append(PerceivedFace(box: face.box, score: face.score))
                continue
            }
            let last = before.flatMap { known[$0] }.flatMap { time - $0.time <= Threshold.meshMemory ? $0 : nil }
            let measured = try measure(face, after: last, in: pyramid)
            if let before {
                // A clear face that is lost for a moment, behind a hand perhaps, is tried again at once.
                let wasClear = (known[before]?.mesh.presence ?? 0) >= Threshold.presenceAlone
                meshless[before] = measured.mesh == nil && !wasClear ? Self.meshPause : nil
            }
            faces.append(measured)
        }
        for track in expected where track.isBorn && !seen.contains(track.id) && faces.count < settings.maximumFaces {
            guard let last = known[track.id], let face = try lookAgain(last, expected: track.box, in: pyramid),
                !faces.contains(where: { $0.box.iou(face.box) > 0.3 })
            else { continue }
            faces.append(face)
        }
        return faces
    }

    private func isInZone(_ box: Rect, _ size: Size) -> Bool {
        guard !settings.zones.isEmpty else { return true }
        let center = Point(x: box.center.x / Float(size.width), y: box.center.y / Float(size.height))
        return settings.zones.contains { $0.surrounds(center) }
    }

    private func nearest(
        to box: Rect,
        among expected: Expected,
        except seen: Set<Int>
    ) -> Int? {
        expected.filter { !seen.contains($0.id) && $0.box.iou(box) > 0.3 }
            .max { $0.box.iou(box) < $1.box.iou(box) }?.id
    }

    /// The mesh of a found face, from the last mesh moved along with the box, or from the detector's eyes.
    private func measure(_ found: FoundFace, after last: Known?, in pyramid: Pyramid) throws(FacesError)
        -> PerceivedFace
    {
        var face = PerceivedFace(box: found.box, score: found.score)
        guard found.closest.box.width >= Threshold.poseWidth * 0.6 else { return face }
        var region = found.closest.meshRegion
        if let last {
            region = last.mesh.meshRegion
            // The detector's box trembles more than a face moves, and a trembling region costs a second look.
            let dx = found.box.center.x - last.box.center.x, dy = found.box.center.y - last.box.center.y
            let ratio = found.box.width / max(1, last.box.width)
            if max(abs(dx), abs(dy)) > 0.12 * found.box.width || ratio > 1.2 || ratio < 1 / 1.2 {
                region.center.x += dx
                region.center.y += dy
                region.side *= ratio
            }
        }
        if let mesh = try mesh(in: region, of: pyramid), mesh.presence >= Threshold.presence {
            describe(mesh, of: &face, in: pyramid)
        } else if last != nil,
            let mesh = try mesh(in: found.closest.meshRegion, of: pyramid),
            mesh.presence >= Threshold.presence
        {
            describe(mesh, of: &face, in: pyramid)
        }
        return face
    }

    private func lookAgain(_ last: Known, expected: Rect, in pyramid: Pyramid) throws(FacesError) -> PerceivedFace? {
        var region = last.mesh.meshRegion
        region.center.x += expected.center.x - last.box.center.x
        region.center.y += expected.center.y - last.box.center.y
        guard let mesh = try mesh(in: region, of: pyramid), mesh.presence >= Threshold.presenceAlone
        else {
            return nil
        }
        // The detector's box, carried along with the mesh.
        let old = last.mesh.bounds, new = mesh.bounds
        let scale = new.width / max(1, old.width)
        let box = Rect(
            center: Point(
                x: new.center.x + (last.box.center.x - old.center.x) * scale,
                y: new.center.y + (last.box.center.y - old.center.y) * scale
            ),
            width: last.box.width * scale,
            height: last.box.height * scale
        )
        var face = PerceivedFace(box: box, score: last.score)
        describe(mesh, of: &face, in: pyramid)
        return face
    }

    private func mesh(in region: RotatedSquare, of pyramid: Pyramid) throws(FacesError) -> FaceMesh? {
        try timings.measure(.mesh) { () throws(FacesError) in
            try mesher.refinedMesh(in: pyramid, region: region)
        }
    }

    private func describe(_ mesh: FaceMesh, of face: inout PerceivedFace, in pyramid: Pyramid) {
        guard let fit = template.fit(mesh) else { return }
        let pose = HeadPose(fit.rotation)
        face.mesh = mesh
        face.fit = fit
        face.pose = pose
        let grey = pyramid.sample(
            AffineMap.crop(mesh.alignedSquare(angle: mesh.eyeLineAngle, scale: 1.1), size: 64),
            as: Pyramid.Format(size: Size(width: 64, height: 64), layout: .grey)
        )
        face.quality = FaceQuality(
            grey: grey,
            interEyeDistance: mesh.interEyeDistance,
            pose: pose,
            box: face.box,
            frame: pyramid.size
        )
    }

    /// Colours of the aligned head, coarse and with the mean taken away: enough to tell two people in one picture
    /// apart for a moment, not to know anybody again.
    private func appearance(of face: PerceivedFace, in pyramid: Pyramid) -> [Float] {
        guard face.box.width >= 16 else { return [] }
        let region =
            face.mesh.map { $0.alignedSquare(angle: $0.eyeLineAngle, scale: 1.3) }
            ?? RotatedSquare(center: face.box.center, side: face.box.width * 1.3)
        var values = pyramid.glance(AffineMap.crop(region, size: 8), side: 8)
        let mean = values.reduce(0, +) / Float(values.count)
        values = values.map { $0 - mean }
        let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return norm > 0 ? values.map { $0 / norm } : []
    }
}
