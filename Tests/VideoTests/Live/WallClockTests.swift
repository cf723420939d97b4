import TestSupport
import Testing
import Video

@Suite("Wall-clock time of live pictures")
struct WallClockTests {
    private static let epoch = 1_800_000_000.0

    /// A camera whose media time starts at 0 when the host's monotonic clock shows 100.
    private struct Link {
        var clock = WallClock(opened: .init(monotonic: 100, realtime: WallClockTests.epoch))
        var random = SeededGenerator(seed: 7)
        /// The host's wall clock minus what it should show.
        var hostStep = 0.0
        /// The camera's, if it tells it.
        var senderStep: Double?
        var delay = 0.05
        var jitter = 0.1

        func reading(_ time: Double) -> WallClock.Reading {
            .init(monotonic: 100 + time, realtime: WallClockTests.epoch + time + hostStep)
        }

        /// - Returns: how far the time told for each picture is from the truth.
        mutating func play(_ seconds: Range<Double>, rate: Double = 25) -> [(error: Double, time: WallTime)] {
            var times: [(error: Double, time: WallTime)] = []
            var media = seconds.lowerBound
            while media < seconds.upperBound {
                let late = delay + Double.random(in: 0...jitter, using: &random)
                let now = reading(media + late)
                clock.packetArrived(
                    mediaTime: media,
                    sent: senderStep.map { WallClockTests.epoch + media + $0 },
                    at: now
                )
                let time = clock.time(of: media, at: now)
                times.append((time.seconds - WallClockTests.epoch - media, time))
                media += 1 / rate
            }
            return times
        }
    }

    @Test("without reports: arrival, its jitter taken out, the error within the uncertainty")
    func arrival() {
        var link = Link()
        let times = link.play(0..<120)
        #expect(times.allSatisfy { $0.time.source == .arrival })
        #expect(times.allSatisfy { abs($0.error) <= $0.time.uncertainty })
        #expect(times.dropFirst(250).allSatisfy { $0.error >= 0.05 && $0.error < 0.06 })
        #expect(times.dropFirst(250).allSatisfy { $0.time.uncertainty < 0.5 })
    }

    @Test("a late report: arrival before it, the camera's clock after it")
    func lateReport() {
        var link = Link()
        let before = link.play(0..<10)
        link.senderStep = 0.02
        let after = link.play(10..<20)
        #expect(before.allSatisfy { $0.time.source == .arrival })
        #expect(after.allSatisfy { $0.time.source == .senderReport && abs($0.error - 0.02) < 1e-5 })
        #expect(after.allSatisfy { $0.time.uncertainty < 0.1 && abs($0.error) <= $0.time.uncertainty + 0.02 })
    }

    @Test("a camera's clock that is two hours off is not believed", arguments: [7200.0, -7200])
    func wrongReport(step: Double) {
        var link = Link()
        link.senderStep = step
        let times = link.play(0..<20)
        #expect(times.allSatisfy { $0.time.source == .offset && abs($0.error) <= $0.time.uncertainty })
        link.senderStep = 0
        #expect(link.play(20..<25).allSatisfy { $0.time.source == .senderReport })
    }

    @Test("steps of the host's clock are followed at once", arguments: [3600.0, -3600])
    func hostStep(step: Double) {
        var link = Link()
        _ = link.play(0..<20)
        link.hostStep = step
        let times = link.play(20..<40)
        #expect(times.allSatisfy { abs($0.error - step) < 0.06 && $0.time.source == .arrival })
    }

    @Test("a step of the host's clock parts it from the camera's, which is not believed until they agree again")
    func hostStepWithReports() {
        var link = Link()
        link.senderStep = 0
        #expect(link.play(0..<20).allSatisfy { $0.time.source == .senderReport })
        for step in [7200.0, -7200] {
            link.hostStep = step
            let times = link.play(20..<40)
            #expect(times.allSatisfy { $0.time.source == .offset && abs($0.error - step) < 0.2 })
        }
        // Less than what clocks differ by anyway: both are told, and how far apart they are.
        link.hostStep = 5
        #expect(link.play(40..<50).allSatisfy { $0.time.source == .senderReport && $0.time.uncertainty > 4.5 })
        link.hostStep = 0
        #expect(link.play(50..<60).allSatisfy { $0.time.source == .senderReport && $0.time.uncertainty < 0.2 })
    }

    @Test("a source that was held up is late from then on, and known to be within seconds")
    func heldUp() {
        var link = Link()
        _ = link.play(0..<60)
        link.delay += 10
        let times = link.play(60..<120)
        #expect(times.dropFirst(150).allSatisfy { abs($0.error - 10.05) < 0.1 })
    }

    @Test("what waited while the stream was probed has a larger uncertainty, for two seconds")
    func probing() {
        var link = Link()
        for number in 0..<75 {
            link.clock.packetArrived(mediaTime: Double(number) / 25, sent: nil, at: link.reading(3))
            let time = link.clock.time(of: Double(number) / 25, at: link.reading(3))
            let error = time.seconds - Self.epoch - Double(number) / 25
            #expect(abs(error) <= time.uncertainty)
        }
        let times = link.play(3..<20)
        #expect(times.last.map { $0.error < 0.06 && $0.time.uncertainty < 4 } == true)
        #expect(link.play(20..<100).last.map { $0.time.uncertainty < 0.5 } == true)
    }

    @Test("FFmpeg's slip around the end of 32 bits is undone")
    func wrap() {
        var link = Link()
        link.senderStep = 0
        _ = link.play(0..<5)
        link.senderStep = -4_294_967_296.0 / 90_000
        #expect(link.play(5..<10).allSatisfy { $0.time.source == .senderReport && abs($0.error) < 1e-4 })
    }

    @Test("a picture without a time was taken at most so long ago as the source has been open")
    func noTime() {
        let clock = WallClock(opened: .init(monotonic: 100, realtime: Self.epoch))
        let time = clock.time(of: nil, at: .init(monotonic: 102, realtime: Self.epoch + 2))
        #expect(time.source == .arrival && time.seconds == Self.epoch + 2)
        #expect(time.uncertainty >= 2)
    }
}
