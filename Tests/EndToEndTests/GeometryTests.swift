import Events
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The same pictures in another container, turned, mirrored or at other times give the same events.
    @Suite("Geometry and time", .serialized)
    struct GeometryTests {
        private func observations(_ clip: Clip, _ arguments: String...) async throws -> [FaceObservation] {
            let run = try Facellm.start(
                ["analyze", try await clip.path, "--observations", "--sample-fps", "5"] + arguments
            )
            let events = try await EventFile(await run.finish().standardOutput)
            let seen = events.observations.filter { $0.trackID != nil && $0.face.pose != nil }
            try #require(seen.count >= 9)
            return seen
        }

        /// Turned by the container: pixels are the same, so only the rounding of crops may differ.
        @Test("turned by metadata", arguments: [90, 180, 270])
        func rotated(degrees: Int) async throws {
            let upright = try await observations(Clips.upright)
            let turned = try await observations(Clips.rotated(by: degrees))
            #expect(turned.map(\.frame.mediaTimeSeconds) == upright.map(\.frame.mediaTimeSeconds))
            for (one, other) in zip(upright, turned) {
                #expect(other.frame.rotationDegrees == degrees)
                #expect(other.frame.width == 480 && other.frame.height == 270)
                expectClose(one.face.boundingBox, other.face.boundingBox, within: 0.01)
                let pose = try #require(one.face.pose), otherPose = try #require(other.face.pose)
                #expect(abs(pose.yawDegrees - otherPose.yawDegrees) < 1)
                #expect(abs(pose.pitchDegrees - otherPose.pitchDegrees) < 1)
                #expect(abs(pose.rollDegrees - otherPose.rollDegrees) < 1)
                #expect(one.expression?.label == other.expression?.label)
            }
        }

        /// The networks are not symmetric, so a mirrored face is measured a little differently: 6 % of the face's size
        /// and 5 degrees are allowed.
        @Test("mirrored")
        func mirrored() async throws {
            let upright = try await observations(Clips.upright)
            let mirrored = try await observations(Clips.mirrored)
            #expect(mirrored.map(\.frame.mediaTimeSeconds) == upright.map(\.frame.mediaTimeSeconds))
            for (one, other) in zip(upright, mirrored) {
                let box = one.face.boundingBox
                let expected = try #require(
                    BoundingBox(left: 1 - box.left - box.width, top: box.top, width: box.width, height: box.height)
                )
                expectClose(expected, other.face.boundingBox, within: 0.06)
                let pose = try #require(one.face.pose), otherPose = try #require(other.face.pose)
                #expect(abs(pose.yawDegrees + otherPose.yawDegrees) < 5)
                #expect(abs(pose.pitchDegrees - otherPose.pitchDegrees) < 5)
                #expect(abs(pose.rollDegrees + otherPose.rollDegrees) < 5)
            }
        }

        @Test("frames at irregular times keep their times")
        func irregular() async throws {
            let events = try await Facellm.analyze(
                try await Clips.irregular.path,
                "--every-frame",
                "--observations"
            )
            let times = Set(events.observations.map(\.frame.mediaTimeSeconds)).sorted()
            #expect(times.count == Clips.irregularTimes.count)
            for (time, expected) in zip(times, Clips.irregularTimes) { #expect(abs(time - expected) < 0.001) }
            let last = try #require(events.summary.lastMediaTimeSeconds)
            #expect(abs(last - (Clips.irregularTimes.last ?? 0)) < 0.001)
        }

        /// - Parameter limit: in sides of the box.
        private func expectClose(
            _ one: BoundingBox,
            _ other: BoundingBox,
            within limit: Double,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let across = max(abs(one.left - other.left), abs(one.width - other.width)) / one.width
            let down = max(abs(one.top - other.top), abs(one.height - other.height)) / one.height
            #expect(max(across, down) < limit, "\(one) \(other)", sourceLocation: sourceLocation)
        }
    }
}

extension Clips {
    /// `upright` with its pixels turned and a display matrix that turns them back: not one bit of the picture differs.
    static func rotated(by degrees: Int) throws -> Clip { try #require(turned[degrees]) }

    private static let turned = [
        90: turned(90, "transpose=2", [0, 1, -1, 0]), 180: turned(180, "hflip,vflip", [-1, 0, 0, -1]),
        270: turned(270, "transpose=1", [0, -1, 1, 0]),
    ]

    private static func turned(_ degrees: Int, _ filter: String, _ matrix: [Int32]) -> Clip {
        clip("turned-\(degrees).mp4") { path in
            try await ffmpeg("-i \(await upright.path) -vf \(filter) \(lossless) \(path)")
            try setMatrix(matrix, ofVideoAt: path)
        }
    }

    /// Writes the display matrix into the header of the one track of an MP4; options of `ffmpeg` for this come and go.
    private static func setMatrix(_ matrix: [Int32], ofVideoAt path: String) throws {
        var data = try Data(contentsOf: URL(filePath: path))
        let header = try #require(data.range(of: Data("tkhd".utf8)))
        // ISO/IEC 14496-12, version 0: 40 bytes from the name to a, b, u, c, d, v, x, y, w.
        let start = header.upperBound + 40
        for (offset, number) in zip([0, 4, 12, 16], matrix) {
            withUnsafeBytes(of: (number * 65536).bigEndian) {
                data.replaceSubrange(start + offset..<start + offset + 4, with: $0)
            }
        }
        try data.write(to: URL(filePath: path))
    }
}
