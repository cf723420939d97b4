import Events
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Videos in order that nobody expects: status 0, the right number of pictures, and no face where there is none.
    @Suite("Odd inputs", .serialized)
    struct OddInputTests {
        struct Input: CustomTestStringConvertible {
            var name: String
            /// Arguments of `ffmpeg` before the output.
            var made: String
            var frames: Int
            /// Whether the portrait is in it, large enough to be found.
            var hasFace = false
            var testDescription: String { name }
        }

        private static let portrait = "-loop 1 -framerate 5 -t 2 -i \(Installation.portrait) -vf"

        static let inputs = [
            Input(
                name: "dot.png",
                made: "-f lavfi -i color=red:s=16x16:r=5:d=1,format=rgb24,crop=1:1:0:0:exact=1 -frames:v 1",
                frames: 1
            ),
            Input(
                name: "line.mkv",
                made: "-f lavfi -i testsrc2=s=64x64:r=5:d=1,format=yuv444p,crop=1:64:0:0:exact=1 -c:v ffv1",
                frames: 5
            ),
            Input(
                name: "odd.mkv",
                made: "\(portrait) scale=640:640,format=yuv444p,crop=481:361:80:0:exact=1 -c:v ffv1",
                frames: 10,
                hasFace: true
            ),
            Input(
                name: "ten.mkv",
                made: "\(portrait) scale=480:480,format=yuv420p10le -c:v libx264 -preset ultrafast",
                frames: 10,
                hasFace: true
            ),
            Input(
                name: "av1.mkv",
                made: "\(portrait) scale=480:480,format=yuv420p -c:v libaom-av1 -cpu-used 8 -usage realtime "
                    + "-lag-in-frames 0 -b:v 500k",
                frames: 10,
                hasFace: true
            ),
            Input(
                name: "alpha.mov",
                made: "\(portrait) scale=480:480,format=rgba -c:v qtrle",
                frames: 10,
                hasFace: true
            ),
            Input(
                name: "large.mp4",
                made:
                    "\(portrait) scale=7680:4320:force_original_aspect_ratio=increase,crop=7680:4320:0:0,format=yuv420p "
                    + "-frames:v 4 -c:v libx264 -preset ultrafast",
                frames: 4,
                hasFace: true
            ),
        ]

        @Test("each is read to its end", arguments: inputs)
        func read(input: Input) async throws {
            let folder = try TemporaryFolder()
            try await folder.ffmpeg("\(input.made) \(input.name)")
            let events = try await Facellm.analyze(folder.path(input.name), "--every-frame")
            #expect(events.summary.ledger.framesDecoded == input.frames)
            #expect(events.summary.ledger.framesSampled == input.frames)
            #expect(events.summary.complete)
            #expect(events.started.isEmpty == !input.hasFace)
        }
    }
}
