package import Imaging

/// A face as the whole frame and the tiles show it.
package struct FoundFace: Sendable, Hashable {
    /// The box to publish: the whole frame's where it saw the face, since a tile's box is tighter for small faces.
    package var box: Rect
    /// The best score of all looks.
    package var score: Float
    /// The look with the best score: what the mesh starts from.
    package var closest: Detection
}

/// Looks for faces in a whole frame and in its tiles.
package final class FaceFinder {
    private let detector: BlazeFace
    private let mode: Tiling.Mode
    private let tilesPerPicture: Int?
    private var tiling: (size: Size, tiles: [Rect])?
    private var nextTile = 0

    /// - Parameter tilesPerPicture: how many tiles to look at, in turn; nil for all of them in each picture.
    package init(
        core: InferenceCore,
        models: ModelFolder,
        mode: Tiling.Mode,
        tilesPerPicture: Int?
    ) throws(FacesError) {
        detector = try BlazeFace(.full, core: core, models: models)
        self.mode = mode
        self.tilesPerPicture = tilesPerPicture
    }

    /// - Parameter threshold: lowest score, 0–1.
    /// - Returns: the largest faces first.
    package func find(in pyramid: Pyramid, threshold: Float) throws(FacesError) -> [FoundFace] {
        let whole = try detector.detect(
            in: pyramid,
            region: BlazeFace.wholeFrame(pyramid.size),
            threshold: threshold
        )
        var close: [Detection] = []
        for tile in nextTiles(pyramid.size) {
            let region = RotatedSquare(center: tile.center, side: tile.width)
            close += try detector.detect(in: pyramid, region: region, threshold: threshold)
                .filter { Self.belongs($0.box, to: tile, in: pyramid.size) }
        }
        return Self.merge(whole: whole, close: close)
            .sorted { ($0.box.area, $1.box.left) > ($1.box.area, $0.box.left) }
    }

    /// As `find`, in a picture that stands alone and may be filled by one face.
    package func findInPortrait(_ pyramid: Pyramid, threshold: Float) throws(FacesError) -> [FoundFace] {
        let found = try find(in: pyramid, threshold: threshold)
        if !found.isEmpty { return found }
        // The detector was made for faces with something around them.
        var region = BlazeFace.wholeFrame(pyramid.size)
        region.side *= 1.6
        return Self.merge(whole: try detector.detect(in: pyramid, region: region, threshold: threshold), close: [])
    }

    private func nextTiles(_ size: Size) -> [Rect] {
        if tiling?.size != size {
            tiling = (size, Tiling(size: size, mode: mode).tiles)
            nextTile = 0
        }
        guard let tiles = tiling?.tiles, !tiles.isEmpty else { return [] }
        guard let count = tilesPerPicture, count < tiles.count else { return tiles }
        let turn = (0..<count).map { tiles[(nextTile + $0) % tiles.count] }
        nextTile = (nextTile + count) % tiles.count
        return turn
    }

    /// A tile answers for faces that are small beside it and that it does not cut.
    static func belongs(_ box: Rect, to tile: Rect, in size: Size) -> Bool {
        guard max(box.width, box.height) <= 0.45 * tile.width else { return false }
        let margin = 0.01 * tile.width
        let width = Float(size.width), height = Float(size.height)
        return (box.left > tile.left + margin || tile.left <= 0)
            && (box.top > tile.top + margin || tile.top <= 0)
            && (box.right < tile.right - margin || tile.right >= width - 0.5)
            && (box.bottom < tile.bottom - margin || tile.bottom >= height - 0.5)
    }

    /// One face for each group of detections that overlap or contain one another.
    static func merge(whole: [Detection], close: [Detection]) -> [FoundFace] {
        let all = whole.map { ($0, true) } + close.map { ($0, false) }
        var faces: [(face: FoundFace, wholeScore: Float)] = []
        for (detection, isWhole) in all.sorted(by: { $0.0.score > $1.0.score }) {
            let match = faces.firstIndex { other in
                let best = other.face.closest.box
                let shared = best.intersectionArea(detection.box)
                return best.iou(detection.box) > 0.3 || shared > 0.6 * min(best.area, detection.box.area)
            }
            if let match {
                if isWhole, detection.score > faces[match].wholeScore {
                    faces[match].face.box = detection.box
                    faces[match].wholeScore = detection.score
                }
            } else {
                faces.append(
                    (
                        FoundFace(box: detection.box, score: detection.score, closest: detection),
                        isWhole ? detection.score : 0
                    )
                )
            }
        }
        return faces.map(\.face)
    }
}
