import Testing
import Video

/// Drives a machine through hours in no time: calls it at its deadlines and plays the readers that it starts.
private struct Simulation {
    var machine: LiveMachine
    var now = 0.0
    var actions: [(time: Double, action: LiveMachine.Action)] = []
    /// What becomes of the next readers: seconds until they are back, and how; none stays where it is.
    var reader: (delay: Double, result: LiveMachine.Return)?
    private var readerReturn: (time: Double, result: LiveMachine.Return)?

    init(_ settings: LiveMachine.Settings = .init(), seed: UInt64 = 1) {
        machine = LiveMachine(settings, seed: seed)
    }

    mutating func send(_ event: LiveMachine.Event) {
        for action in machine.event(event, at: now) {
            actions.append((now, action))
            if action == .connect { readerReturn = reader.map { (now + $0.delay, $0.result) } }
        }
    }

    mutating func advance(to time: Double) {
        while let next = [readerReturn?.time, machine.deadline].compactMap({ $0 }).min(), next <= time {
            now = max(now, next)
            if let back = readerReturn, back.time <= now {
                readerReturn = nil
                send(.returned(back.result))
            } else {
                send(.tick)
            }
        }
        now = time
    }

    /// Packets and pictures, so many a second.
    mutating func play(seconds: Double, rate: Double = 5, isUnchanged: Bool = false) {
        for _ in 0..<Int(seconds * rate) {
            advance(to: now + 1 / rate)
            send(.packet)
            send(.frame(isUnchanged: isUnchanged))
        }
    }

    var connects: [Double] { actions.filter { $0.action == .connect }.map(\.time) }

    var states: [LiveState] {
        actions.compactMap { if case .publish(let state, _, _) = $0.action { state } else { nil } }
    }

    var gaps: [(reason: LiveReason, lost: Double)] {
        actions.compactMap { if case .gap(let reason, let lost) = $0.action { (reason, lost) } else { nil } }
    }

    var lastStatus: LiveMachine.Action? {
        actions.last { if case .publish = $0.action { true } else { false } }?.action
    }

    mutating func forget() { actions = [] }
}

@Suite("What a live source decides")
struct LiveMachineTests {
    private let lost = LiveMachine.Return.failed(.connectionLost, isFinal: false)
    private let refused = LiveMachine.Return.failed(.connectionFailed, isFinal: false)

    @Test("from the start to the first picture")
    func start() {
        var simulation = Simulation()
        simulation.send(.start)
        simulation.send(.start)
        simulation.advance(to: 1)
        simulation.send(.packet)
        simulation.send(.frame(isUnchanged: false))
        #expect(
            simulation.actions.map(\.action) == [
                .publish(.connecting, .started, attempt: 1), .connect,
                .publish(.online, .picturesCame, attempt: 1), .deliver,
            ]
        )
    }

    @Test("an outage of a day: tried for ever, at most once in 45 s, then one gap", arguments: 0..<20 as Range<UInt64>)
    func longOutage(seed: UInt64) {
        var simulation = Simulation(seed: seed)
        simulation.send(.start)
        simulation.play(seconds: 1)
        simulation.forget()
        simulation.reader = (0.5, refused)
        simulation.send(.returned(lost))
        simulation.advance(to: 86400)
        let pauses = zip(simulation.connects, simulation.connects.dropFirst()).map { $1 - $0 - 0.5 }
        #expect((1440...1930).contains(simulation.connects.count))
        #expect(86400 - (simulation.connects.last ?? 0) <= 60.5)
        for (number, pause) in pauses.enumerated() {
            // The first pause came before the first of these attempts.
            let whole = min(60, Double(1 << min(number + 1, 10)))
            #expect(
                pause <= whole + 1e-6 && pause >= whole * 0.75 - 1e-6,
                "pause \(number) of \(pause) s, seed \(seed)"
            )
        }
        #expect(Set(pauses.suffix(100)).count > 90, "no jitter")
        #expect(simulation.states.allSatisfy { $0 == .reconnecting })
        simulation.reader = nil
        simulation.forget()
        while simulation.connects.isEmpty { simulation.advance(to: simulation.now + 0.1) }
        simulation.forget()
        simulation.play(seconds: 1)
        #expect(simulation.gaps.count == 1)
        #expect(simulation.gaps.first.map { $0.reason == .connectionLost && $0.lost > 86400 } == true)
        #expect(simulation.states == [.online])
    }

    @Test("the pace starts over after a minute of pictures, and not before", arguments: [(59.0, 8.0), (61.0, 1.0)])
    func reset(seconds: Double, expected: Double) {
        var simulation = Simulation()
        simulation.reader = (0, refused)
        simulation.send(.start)
        while simulation.connects.count < 3 { simulation.advance(to: simulation.now + 0.1) }
        simulation.reader = nil
        while simulation.connects.count < 4 { simulation.advance(to: simulation.now + 0.1) }
        simulation.play(seconds: seconds)
        let end = simulation.now
        simulation.forget()
        simulation.send(.returned(lost))
        simulation.advance(to: end + 100)
        let pause = (simulation.connects.first ?? 0) - end
        #expect(pause <= expected * 2 && pause >= expected * 0.75, "\(pause) s")
    }

    @Test("flapping every second ends at the slow pace")
    func flapping() {
        var simulation = Simulation()
        simulation.send(.start)
        for _ in 0..<20 {
            simulation.play(seconds: 1)
            simulation.send(.returned(lost))
            let count = simulation.connects.count
            while simulation.connects.count == count { simulation.advance(to: simulation.now + 0.1) }
        }
        let pauses = zip(simulation.connects, simulation.connects.dropFirst()).map { $1 - $0 }
        #expect(pauses.suffix(8).allSatisfy { $0 >= 45 && $0 <= 62 })
        #expect(simulation.gaps.count == 19)
    }

    @Test("what will not change soon is slow from the start", arguments: [LiveReason.unauthorized, .notFound])
    func slow(reason: LiveReason) {
        var simulation = Simulation()
        simulation.reader = (0, .failed(reason, isFinal: false))
        simulation.send(.start)
        simulation.advance(to: 600)
        #expect((10...15).contains(simulation.connects.count))
        #expect(simulation.lastStatus == .publish(.reconnecting, reason, attempt: simulation.connects.count + 1))
    }

    @Test("what cannot change is not tried again, except by order")
    func hopeless() {
        var simulation = Simulation()
        simulation.reader = (0, .failed(.unsupported, isFinal: true))
        simulation.send(.start)
        simulation.advance(to: 1e6)
        #expect(simulation.connects.count == 1)
        #expect(simulation.states == [.connecting, .failed])
        simulation.send(.resume)
        #expect(simulation.connects.count == 2)
    }

    @Test("silence is a stall, and the same connection may go on")
    func stall() {
        var simulation = Simulation()
        simulation.send(.start)
        simulation.play(seconds: 10)
        simulation.forget()
        simulation.advance(to: 14.9)
        #expect(simulation.actions.isEmpty)
        simulation.advance(to: 15.1)
        #expect(simulation.states == [.stalled])
        simulation.advance(to: 18)
        simulation.play(seconds: 1)
        #expect(simulation.states == [.stalled, .online])
        #expect(simulation.gaps.count == 1)
        #expect(simulation.gaps.first.map { $0.reason == .noPictures && abs($0.lost - 8.2) < 0.01 } == true)
        #expect(simulation.connects.isEmpty)
    }

    @Test("a process that stood still is told of as a stall, even when packets are read before the alarm rings")
    func stoodStill() {
        var simulation = Simulation()
        simulation.send(.start)
        simulation.play(seconds: 10)
        simulation.forget()
        simulation.now = 70
        for _ in 0..<3 {
            simulation.send(.packet)
            simulation.send(.tick)
            simulation.send(.frame(isUnchanged: false))
        }
        #expect(simulation.states == [.stalled, .online])
        #expect(simulation.gaps.map(\.reason) == [.noPictures])
        #expect(simulation.gaps.first.map { abs($0.lost - 60) < 0.01 } == true)
        #expect(simulation.connects.isEmpty)
    }

    @Test("packets without samples are no stall")
    func rareSamples() {
        var simulation = Simulation()
        simulation.send(.start)
        simulation.play(seconds: 1)
        simulation.forget()
        for _ in 0..<100 {
            simulation.advance(to: simulation.now + 1)
            simulation.send(.packet)
        }
        #expect(simulation.actions.isEmpty)
    }

    @Test("a reader that does not return is told to, then left behind, and not too many of them")
    func stuck() {
        var settings = LiveMachine.Settings()
        settings.mostAbandoned = 3
        var simulation = Simulation(settings)
        simulation.send(.start)
        simulation.advance(to: 57.1)
        #expect(simulation.actions.contains { $0.action == .interrupt })
        #expect(!simulation.actions.contains { $0.action == .abandon })
        simulation.advance(to: 5000)
        let abandoned = simulation.actions.filter { $0.action == .abandon }.count
        #expect(abandoned == 3)
        #expect(simulation.connects.count == 3)
        #expect(simulation.lastStatus == .publish(.reconnecting, .readerStuck, attempt: 4))
        simulation.send(.abandonedReturned)
        simulation.advance(to: 5070)
        #expect(simulation.connects.count == 4)
    }

    @Test("an interrupted reader that returns in time is not left behind")
    func interrupted() {
        var simulation = Simulation()
        simulation.send(.start)
        simulation.advance(to: 57.1)
        simulation.send(.returned(.failed(.stopped, isFinal: false)))
        simulation.advance(to: 70)
        #expect(!simulation.actions.contains { $0.action == .abandon })
        #expect(simulation.connects.count == 2)
    }

    @Test("a frozen picture is told once and withheld until it changes")
    func frozen() {
        var simulation = Simulation()
        simulation.send(.start)
        simulation.play(seconds: 5)
        simulation.play(seconds: 29, isUnchanged: true)
        #expect(!simulation.states.contains(.frozen))
        simulation.forget()
        simulation.play(seconds: 60, isUnchanged: true)
        #expect(simulation.states == [.frozen])
        #expect(simulation.actions.filter { $0.action == .deliver }.count <= 6)
        #expect(simulation.actions.filter { $0.action == .withhold }.count >= 294)
        simulation.forget()
        simulation.play(seconds: 1)
        #expect(simulation.states == [.online])
        #expect(simulation.actions.filter { $0.action == .deliver }.count == 5)
        #expect(simulation.gaps.isEmpty)
    }

    @Test("pausing closes, resuming waits for that and opens")
    func pause() {
        var simulation = Simulation()
        simulation.send(.start)
        simulation.play(seconds: 5)
        simulation.forget()
        simulation.send(.pause)
        simulation.send(.pause)
        #expect(simulation.actions.map(\.action) == [.interrupt, .publish(.paused, .paused, attempt: 0)])
        simulation.send(.frame(isUnchanged: false))
        #expect(simulation.actions.count == 2, "a picture was taken while paused")
        simulation.send(.resume)
        #expect(simulation.connects.isEmpty)
        simulation.send(.returned(.failed(.stopped, isFinal: false)))
        #expect(simulation.connects.count == 1)
        simulation.play(seconds: 1)
        #expect(simulation.states == [.paused, .connecting, .online])
        #expect(simulation.gaps.map(\.reason) == [.paused])
    }

    @Test("paused for a day, nothing is tried")
    func pausedLong() {
        var simulation = Simulation()
        simulation.reader = (0, refused)
        simulation.send(.start)
        simulation.advance(to: 10)
        simulation.send(.pause)
        simulation.forget()
        simulation.advance(to: 86400)
        #expect(simulation.actions.isEmpty)
        simulation.send(.resume)
        #expect(simulation.connects.count == 1)
    }

    @Test("the end is the end, in every state", arguments: 0..<5)
    func stop(state: Int) {
        var simulation = Simulation()
        if state > 0 { simulation.send(.start) }
        if state == 2 { simulation.play(seconds: 1) }
        if state == 3 { simulation.send(.returned(lost)) }
        if state == 4 { simulation.send(.pause) }
        simulation.forget()
        simulation.send(.stop)
        simulation.send(.stop)
        simulation.send(.resume)
        simulation.send(.returned(lost))
        simulation.advance(to: 1000)
        let expected: [LiveMachine.Action] = [.publish(.ended, .stopped, attempt: 0), .finish]
        #expect(simulation.actions.map(\.action) == ([1, 2].contains(state) ? [.interrupt] : []) + expected)
    }

    @Test("a recording ends, a broadcast is tried again", arguments: [true, false])
    func ended(isFinal: Bool) {
        var simulation = Simulation()
        simulation.send(.start)
        simulation.play(seconds: 2)
        simulation.send(.returned(.ended(isFinal: isFinal)))
        simulation.advance(to: 4)
        #expect(simulation.connects.count == (isFinal ? 1 : 2))
        #expect(simulation.states.last == (isFinal ? .ended : .reconnecting))
    }
}
