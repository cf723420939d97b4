internal import Imaging

/// Which picture something was computed from: its content after preprocessing, never its name or its place.
///
/// A SHA-256 over the normalised pixels that the vision tower gets, and so over the picture and every setting of the
/// preprocessing. The prompts of two faces are the same tokens; without this key one face would be answered with what
/// was computed for another.
package struct ContentKey: Sendable, Hashable {
    private let digest: [UInt8]

    package init(_ tiles: PixelTiles) {
        let hash = SHA256()
        for number in [tiles.tileSize, tiles.grid.columns, tiles.grid.rows, tiles.count] {
            withUnsafeBytes(of: UInt64(number).littleEndian) { hash.update($0) }
        }
        tiles.values.withUnsafeBytes { hash.update($0) }
        digest = hash.digest()
    }
}
