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

    private func row(_ name: String, _ agreement: Agreement) -> String {
        func number(_ value: Float) -> String { String(format: "%.2f", value) }
        let poses = [agreement.yaw, agreement.pitch, agreement.roll]
        return "| \(name) | \(agreement.faces) | \(agreement.found) | "
            + "\(number(agreement.overlap / Float(max(1, agreement.found)))) | \(agreement.yaw.count)/\(agreement.meshes) | "
            + poses.map { number(Agreement.mean($0)) }.joined(separator: " | ")
            + " | \(number(poses.joined().max() ?? 0)) |"
    }
}
