import CFFmpeg
import FaceLLM
import Foundation
import Imaging
import Testing

/// The recorded results of the reference implementation, `preprocess/` of the conformance folder.
enum ImageConformance {
    /// `FACELLM_CONFORMANCE`, or `../shared/conformance` beside the package.
    static let folder: URL? = {
        let root =
            if let named = ProcessInfo.processInfo.environment["FACELLM_CONFORMANCE"] {
                URL(fileURLWithPath: named)
            } else {
                URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                    .deletingLastPathComponent().appendingPathComponent("../shared/conformance").standardized
            }
        let folder = root.appendingPathComponent("preprocess")
        return FileManager.default.fileExists(atPath: folder.appendingPathComponent("index.json").path) ? folder : nil
    }()

    static func data(_ name: String) throws -> Data {
        try Data(contentsOf: try #require(folder).appendingPathComponent(name))
    }

    static func image(_ name: String) throws -> RGBImage {
        try ImagePNG.decode(try data(name), name: name)
    }

    /// What `index.json` says.
    struct Index: Decodable {
        struct Resize: Decodable {
            let input: String
            let width: Int
            let height: Int
            let pil: String
            let hf: String
            let pilRgbSha256: String
            let pilNormMean: [Double]
            let pilNormStd: [Double]
        }
        struct Mode: Decodable {
            let input: String
            let pilMode: String
            let width: Int
            let height: Int
            let size: Int
        }
        struct Canvas: Decodable {
            let input: String
            let maxNum: Int
            let grid: [Int]
            let tilesWithThumbnail: Int
            let pil: String
            let pilTileRgbSha256: [String]
        }
        let size: Int
        let mean: [Float]
        let std: [Float]
        let sampledRows: [Int]
        let resize: [Resize]
        let modes: [Mode]
        let canvas: [Canvas]
    }

    /// What `tiling.json` says.
    struct Tiling: Decodable {
        struct Entry: Decodable {
            let width: Int
            let height: Int
            let minNum: Int
            let maxNum: Int
            let columns: Int
            let rows: Int
            let canvas: [Int]
            let tiles: Int
            let tilesWithThumbnail: Int
        }
        let tileSize: Int
        let entries: [Entry]
    }

    /// "640x480" of each recorded resize; none where nothing is recorded.
    static let sizes: [String] = (try? index().resize.map { String($0.input.dropFirst(3).dropLast(4)) }) ?? []
    /// The recorded kinds of PNG, as Pillow names them.
    static let modes: [String] = (try? index().modes.map(\.pilMode)) ?? []

    static func index() throws -> Index { try json("index.json") }
    static func tiling() throws -> Tiling { try json("tiling.json") }

    private static func json<T: Decodable>(_ name: String) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(T.self, from: try data(name))
    }

    /// SHA-256 in hexadecimal digits.
    static func sha256(_ bytes: [UInt8]) throws -> String {
        let context = try #require(av_sha_alloc())
        defer { av_free(UnsafeMutableRawPointer(context)) }
        try #require(av_sha_init(context, 256) == 0)
        av_sha_update(context, bytes, bytes.count)
        var digest = [UInt8](repeating: 0, count: 32)
        av_sha_final(context, &digest)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension Trait where Self == ConditionTrait {
    static var needsImageConformance: Self {
        .enabled(
            if: ImageConformance.folder != nil,
            "no recorded results: set FACELLM_CONFORMANCE or put them into ../shared/conformance"
        )
    }
}

/// How far two images are apart.
struct ImageDifference: Equatable {
    let largest: Int
    /// Of all values, how many differ.
    let fraction: Double

    init(_ a: RGBImage, _ b: RGBImage) throws {
        try #require(a.size == b.size)
        var largest = 0, different = 0
        for index in 0..<a.bytes.count where a.bytes[index] != b.bytes[index] {
            largest = max(largest, abs(Int(a.bytes[index]) - Int(b.bytes[index])))
            different += 1
        }
        self.largest = largest
        fraction = Double(different) / Double(a.bytes.count)
    }
}
