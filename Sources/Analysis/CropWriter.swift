internal import Events
internal import Faces
internal import Glibc
internal import Imaging
internal import Video

/// Saves a crop of each track's best moment, or hands it over, when somebody asked for it.
struct CropWriter {
    private struct Best {
        var quality: Float
        var mediaTime: Double
        var picture: Canvas
    }

    /// Pixels of a side, at most; smaller faces keep their own size.
    private static let side: Float = 320

    /// Nil where nothing is to be saved.
    let folder: String?
    private let keep: (@Sendable (String, Double, [UInt8]) -> Void)?
    private var best: [String: Best] = [:]

    init(folder: String?, keep: (@Sendable (String, Double, [UInt8]) -> Void)? = nil) {
        self.folder = folder
        self.keep = keep
    }

    /// Makes the folder, so that a wrong name is told before the work and not after it.
    func prepare() throws(ImagingError) {
        guard let folder else { return }
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
                    picture: Self.crop(sighting.face.box, of: Pyramid(frame.picture))
                )
            }
        }
        for case .trackEnded(let end) in payloads {
            guard let shot = best.removeValue(forKey: end.trackID) else { continue }
            if let folder {
                let milliseconds = Int((shot.mediaTime * 1000).rounded())
                try PictureEncoder.write(
                    shot.picture,
                    to: "\(folder)/\(end.trackID)-\(milliseconds)ms.jpg",
                    format: .jpeg(quality: 92)
                )
            }
            keep?(end.trackID, shot.mediaTime, try PictureEncoder.encode(shot.picture, as: .jpeg(quality: 85)))
        }
    }

    /// The head with some room around it.
    static func crop(_ box: Rect, of pyramid: Pyramid) -> Canvas {
        let region = RotatedSquare(center: box.center, side: 1.6 * max(box.width, box.height))
        let side = Int(max(16, min(CropWriter.side, region.side)))
        return Canvas(
            sampling: pyramid,
            map: AffineMap.crop(region, size: side),
            size: Size(width: side, height: side),
            replicatesEdge: true
        )
    }
}
