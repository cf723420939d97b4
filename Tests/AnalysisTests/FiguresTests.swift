import Analysis
import Events
import Faces
import Foundation
import Imaging
import Testing
import Video

/// Prints the tables of Documentation/accuracy.md: `FACELLM_FIGURES=1 swift test --filter FiguresTests`.
@Suite(
    .serialized,
    .withMedia,
    .enabled(if: ProcessInfo.processInfo.environment["FACELLM_FIGURES"] != nil, "FACELLM_FIGURES is not set")
)
struct FiguresTests {
    @Test(arguments: [false, true]) func agreement(tiling: Bool) async throws {
        print(tiling ? "With tiling:" : "Without tiling:")
        print("| clip | faces | found | mean IoU | meshes | yaw | pitch | roll | largest |")
        var all = Agreement()
        for look in AccuracyTests.looks(tiling: tiling) {
            let agreement = try await Agreement.of(look)
            all.add(agreement)
            print(row(look.clip.rawValue, agreement))
        }
        print(row("all", all))
    }

    @Test func tracks() async throws {
        print("| clip | samples | tiling | tracks | cuts | smallest face, px | updates |")
        for tiling in [false, true] {
            let looks =
                (Clip.short + [.cars]).map { AnalysedClip.Look(clip: $0, tiling: tiling) }
                + Clip.short.map { AnalysedClip.Look(clip: $0, sampling: .rate(5), tiling: tiling) }
                + [AccuracyTests.joined(tiling: tiling)]
            for look in looks {
                let clip = try await AnalysedClip.of(look)
                let tracked = clip.ended.flatMap { clip.samples(of: $0.trackID) }
                let smallest = tracked.map { $0.face.face.box.width }.min().map { String(Int($0.rounded())) } ?? "–"
                let updates = clip.payloads.filter { if case .trackUpdated = $0 { true } else { false } }.count
                print(
                    "| \(look.clip.rawValue) | \(look.sampling) / \(look.stride) | \(tiling) | \(clip.ended.count) | \(clip.cuts) | \(smallest) "
                        + "| \(updates) |"
                )
            }
        }
    }

    /// The portrait, made smaller and turned in its plane, in the middle of 640 x 480 pixels.
    @Test func limits() async throws {
        let reader = try await VideoReader.open(.init(input: .file(Clip.astronaut.path), sampling: .everyFrame))
        let portrait = try #require(try await reader.next()?.frame?.picture)
        let core = try InferenceCore()
        for (mode, name) in [(Tiling.Mode.off, "off"), (.auto, "auto")] {
            let finder = try FaceFinder(core: core, models: TestMedia.models, mode: mode, tilesPerPicture: nil)
            func score(width: Float, degrees: Float) throws -> Float {
                let picture = Self.placed(Pyramid(portrait), width: width, degrees: degrees)
                return try finder.find(in: Pyramid(picture), threshold: 0.05)
                    .filter { $0.box.center.distance(to: Point(x: 320, y: 240)) < width }.map(\.score).max() ?? 0
            }
            let sizes = try stride(from: Float(8), through: 60, by: 2).map { ($0, try score(width: $0, degrees: 0)) }
            let smallest = sizes.last { $0.1 < 0.5 }.map { $0.0 + 2 } ?? 8
            print("tiling \(name): found from \(Int(smallest)) px on", sizes.map { "\(Int($0.0)): \($0.1)" })
            for width in [Float(30), 60, 120] {
                let turns = try stride(from: Float(0), through: 180, by: 15).map { degrees in
                    (
                        degrees,
                        min(try score(width: width, degrees: degrees), try score(width: width, degrees: -degrees))
                    )
                }
                print("tiling \(name), \(Int(width)) px, turned by:", turns.map { "\(Int($0.0))°: \($0.1)" })
            }
        }
    }

    /// The portrait's face, 105 pixels wide around (225, 121), `width` pixels wide in the middle of a picture.
    private static func placed(_ portrait: Pyramid, width: Float, degrees: Float) -> Picture {
        let size = Size(width: 640, height: 480)
        let scale = 105 / width
        let cosine = scale * Geometry.cos(Geometry.radians(degrees))
        let sine = scale * Geometry.sin(Geometry.radians(degrees))
        let map = AffineMap(
            a: cosine,
            b: sine,
            tx: 225 - cosine * 320 - sine * 240,
            c: -sine,
            d: cosine,
            ty: 121 + sine * 320 - cosine * 240
        )
        let values = portrait.sample(map, as: Pyramid.Format(size: size, layout: .planar))
        let count = size.width * size.height
        return Picture(
            planes: (0..<3).map { plane in
                values[plane * count..<(plane + 1) * count].map { UInt8(max(0, min(255, $0.rounded()))) }
            },
            size: size
        )
    }

    private func row(_ name: String, _ agreement: Agreement) -> String {
        func number(_ value: Float) -> String { String(format: "%.2f", value) }
        let poses = [agreement.yaw, agreement.pitch, agreement.roll]
        return "| \(name) | \(agreement.faces) | \(agreement.found) | "
            + "\(number(agreement.overlap / Float(max(1, agreement.found)))) | \(agreement.yaw.count)/\(agreement.meshes) | "
            + poses.map { number(Agreement.mean($0)) }.joined(separator: " | ")
            + " | \(number(poses.joined().max() ?? 0)) |"
    }
}
