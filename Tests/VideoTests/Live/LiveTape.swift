import Foundation
import TestSupport
import Testing
import Video

extension TemporaryFolder {
    /// `video.h264`, as the servers want it.
    func makeStream(_ source: String = "testsrc2=s=160x120:r=25:d=4", _ options: String = "-g 25") async throws {
        try await ffmpeg(
            "-f lavfi -i \(source) -c:v libx264 -preset ultrafast -bf 0 -pix_fmt yuv420p \(options) -x264-params aud=1 "
                + "-f h264 video.h264"
        )
    }
}

/// A live source and all that it told so far.
final class LiveTape {
    let source: LiveSource
    private var iterator: LiveSource.Events.AsyncIterator
    private(set) var events: [LiveEvent] = []

    init(_ source: LiveSource) {
        self.source = source
        iterator = source.events.makeAsyncIterator()
        source.start()
    }

    /// With deadlines that suit a test.
    convenience init(_ url: String, _ change: (inout LiveSource.Options) -> Void = { _ in }) throws {
        var options = LiveSource.Options(reader: .init(input: .url(url), sampling: .everyFrame))
        options.reader.decoderThreads = 1
        options.reader.queueDepth = 200
        options.pace.first = 0.05
        options.pace.longest = 0.2
        options.reader.deadlines.connect = 5
        options.reader.deadlines.probe = 8
        options.reader.deadlines.firstFrame = 5
        options.reader.deadlines.read = 5
        options.stallAfter = 1
        change(&options)
        self.init(try LiveSource(options))
    }

    deinit { source.stop() }

    /// Goes on to the first event that `condition` likes; nil if the source ended before.
    @discardableResult
    func next(_ condition: (LiveEvent) -> Bool) async -> LiveEvent? {
        while let event = await iterator.next() {
            events.append(event)
            if condition(event) { return event }
        }
        return nil
    }

    @discardableResult
    func next(_ state: LiveState, _ reason: LiveReason? = nil) async -> LiveStatus? {
        await next { $0.status.map { $0.state == state && (reason == nil || $0.reason == reason) } ?? false }?.status
    }

    func nextFrames(_ count: Int) async -> [VideoFrame] {
        var frames: [VideoFrame] = []
        while frames.count < count, let frame = await next({ $0.frame != nil })?.frame { frames.append(frame) }
        return frames
    }

    /// After `stop`: the rest, and until no reader's thread is left.
    func end() async throws {
        source.stop()
        await next { _ in false }
        while source.statistics.readersRunning > 0 { try await Task.sleep(for: .milliseconds(5)) }
        let video = source.statistics.video
        #expect(video.framesDecoded == video.framesSampled + video.framesUnsampled)
        #expect(video.framesSampled == frames.count)
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.mediaTime <= $1.mediaTime && $0.epoch <= $1.epoch })
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.index < $1.index })
    }

    /// What was told so far.
    func forget() { events = [] }

    var frames: [VideoFrame] { events.compactMap(\.frame) }
    var statuses: [LiveStatus] { events.compactMap(\.status) }
    var gaps: [LiveGap] { events.compactMap { if case .gap(let gap) = $0 { gap } else { nil } } }
    var epochs: [EpochReason] { events.compactMap { if case .epoch(_, let reason) = $0 { reason } else { nil } } }
}
