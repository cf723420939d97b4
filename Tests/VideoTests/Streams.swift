import Foundation
import Imaging
import Testing
import Video

/// Everything that a reader delivered.
struct Reading {
    var frames: [VideoFrame] = []
    var epochs: [(info: StreamInfo, reason: EpochReason, afterFrames: Int)] = []
    var statistics = VideoStatistics()
    var info: StreamInfo?
    var error: VideoError?

    init(_ options: VideoReader.Options) async throws {
        do {
            let reader = try await VideoReader.open(options)
            defer {
                statistics = reader.statistics
                info = reader.info
            }
            while let event = try await reader.next() {
                switch event {
                case .frame(let frame): frames.append(frame)
                case .epoch(let info, let reason): epochs.append((info, reason, frames.count))
                }
            }
        } catch let error as VideoError {
            self.error = error
        }
        #expect(statistics.framesDecoded == statistics.framesSampled + statistics.framesUnsampled)
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.mediaTime <= $1.mediaTime })
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.index < $1.index })
    }

    init(_ path: String, _ sampling: Sampling = .everyFrame) async throws {
        try await self.init(VideoReader.Options(input: .file(path), sampling: sampling))
    }

    var times: [Double] { frames.map(\.mediaTime) }
}

extension Picture {
    /// [height, width, 3], 0–255, as displayed.
    func rgb() -> [Float] {
        Pyramid(self).sample(.identity, as: Pyramid.Format(size: size, layout: .interleaved))
    }

    /// Every byte of every plane, row by row.
    var bytes: [UInt8] {
        planes.flatMap { plane in
            (0..<plane.size.height).flatMap { row in
                UnsafeBufferPointer(start: plane.base + row * plane.stride, count: plane.size.width)
            }
        }
    }
}

/// The mean distance of two pictures of equal size, 0–255.
func meanDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count, !a.isEmpty else { return .infinity }
    return zip(a, b).reduce(Float(0)) { $0 + abs($1.0 - $1.1) } / Float(a.count)
}
