internal import Events
internal import Faces
internal import Glibc
internal import Imaging
internal import Video

/// Saves a crop of each track's best moment, when somebody asked for it.
struct CropWriter {
    private struct Best {
        var quality: Float
        var mediaTime: Double
        var picture: Canvas
    }

    /// Pixels of a side, at most; smaller faces keep their own size.
    private static let side: Float = 320

    let folder: String
    private var best: [String: Best] = [:]

    init(folder: String) {
        self.folder = folder
    }

    /// Makes the folder, so that a wrong name is told before the work and not after it.
    func prepare() throws(ImagingError) {
        var status = stat()
        if stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
        guard mkdir(folder, 0o777) == 0 else {
            throw ImagingError(operation: .createFile, path: folder, code: errno)
        }
    }

    /// Keeps better shots of the faces in `frame`, and writes those of the tracks that ended.
    mutating func see(
        _ frame: VideoFrame?,
        sightings: [SourceAnalysis.Sighting],
        ended payloads: [Event.Payload]
    ) throws(ImagingError) {
        if let frame {
            for sighting in sightings {
                // A face too small for a mesh has no quality; the surest look at it will do.
                let quality = sighting.face.quality?.unifiedScore ?? sighting.face.score
                guard let id = sighting.trackID, quality > (best[id]?.quality ?? -1) * 1.05 else { continue }
                best[id] = Best(
                    quality: quality,
                    mediaTime: frame.mediaTime,
                    picture: crop(sighting.face.box, of: frame.picture)
                )
            }
        }
        for case .trackEnded(let end) in payloads {
            guard let shot = best.removeValue(forKey: end.trackID) else { continue }
            let milliseconds = Int((shot.mediaTime * 1000).rounded())
            try PictureEncoder.write(
                shot.picture,
                to: "\(folder)/\(end.trackID)-\(milliseconds)ms.jpg",
                format: .jpeg(quality: 92)
            )
        }
    }

    /// The head with some room around it.
    private func crop(_ box: Rect, of picture: Picture) -> Canvas {
        let region = RotatedSquare(center: box.center, side: 1.6 * max(box.width, box.height))
        let side = Int(max(16, min(CropWriter.side, region.side)))
        return Canvas(
            sampling: Pyramid(picture),
            map: AffineMap.crop(region, size: side),
            size: Size(width: side, height: side),
            replicatesEdge: true
        )
    }
}
