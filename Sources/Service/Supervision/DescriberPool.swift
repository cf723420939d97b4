package import Analysis
package import Events
internal import Synchronization

/// The one describer that all sources share, and whose turn it is.
///
/// A source that has faces to describe waits for its turn, takes the best of them then, and goes to the end of the line
/// again: each source gets as many answers as any other that wants them, however many faces it shows. Where the
/// describer takes several faces together, so many sources have the turn together, or fewer with the same number of
/// faces each. A describer that cannot be opened is tried again for ever.
package final class DescriberPool: FaceDescriber {
    package enum Availability: Sendable {
        case opening
        case ready(GuardedDescriber)
        /// Why, for people.
        case failed(String)
    }

    package typealias Opener = @Sendable () async throws -> any FaceDescriber

    private struct Waiter {
        var id: Int
        /// Whether it waits for a describer that failed, too.
        var isPatient: Bool
        var continuation: CheckedContinuation<Turn?, Never>
    }

    private struct State {
        var availability = Availability.opening
        var waiting: [Waiter] = []
        var nextID = 0
        /// Those who have the turn; nil where nobody has.
        var round: DescribingRound?
        var roundNumber = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let retryInterval: Duration
    private let patience: Duration
    private let clock: any Clock<Duration>
    private let open: Opener

    /// - Parameters:
    ///   - retryInterval: between two attempts to open it.
    ///   - patience: how long a describer may go on after it was told to stop.
    ///   - open: makes the describer.
    package init(
        retryInterval: Duration = .seconds(60),
        patience: Duration = .seconds(2),
        clock: any Clock<Duration> = .continuous,
        open: @escaping Opener
    ) {
        self.retryInterval = retryInterval
        self.patience = patience
        self.clock = clock
        self.open = open
    }

    package var availability: Availability { state.withLock { $0.availability } }
    package var waitingSources: Int { state.withLock { $0.waiting.count } }

    /// Why nobody is described at present; nil while it works or is about to.
    package var failure: String? {
        if case .failed(let reason) = availability { reason } else { nil }
    }

    /// How long the describer has been at a question that it was told to leave; nil unless it is.
    package var stuck: Duration? {
        if case .ready(let describer) = availability { describer.stuck } else { nil }
    }

    // MARK: - Opening

    /// Opens the describer, as often as it takes; returns when it is open or the task is cancelled.
    ///
    /// - Parameter report: called after each attempt, with what it came to.
    package func run(report: @Sendable (Availability) -> Void = { _ in }) async {
        while !Task.isCancelled {
            do {
                let describer = GuardedDescriber(try await open(), patience: patience)
                change { $0.availability = .ready(describer) }
                report(.ready(describer))
                return
            } catch {
                change { $0.availability = .failed("\(error)") }
                sendAway { !$0.isPatient }
                report(.failed("\(error)"))
            }
            try? await clock.sleep(for: retryInterval)
        }
    }

    // MARK: - Turns

    /// Leave to ask the describer once, alone or together with others.
    ///
    /// What several ask is put to the describer when the last of them has asked or ended its turn; each gets its own
    /// answers. Who is cancelled gets his at once, and leaves the others theirs.
    package struct Turn: FaceDescriber {
        /// Faces to ask about, at most.
        package let mostTogether: Int
        /// Faces of all who have the turn together, at most.
        package let share: Int
        fileprivate let pool: DescriberPool
        fileprivate let round: Int
        fileprivate let seat: Int

        package var provenance: Provenance { pool.provenance }

        package func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
            await describe([request]).first ?? .cancelled
        }

        package func describe(_ requests: [DescriptionRequest]) async -> [DescriptionAnswer] {
            await pool.describe(requests, at: seat, of: round)
        }

        /// Lets the next ones in, once all who have the turn together have ended theirs.
        package func end() { pool.act(on: round) { $0.end(seat) } }
    }

    /// Waits until the describer works and it is the caller's turn, which must be ended.
    ///
    /// - Parameter isPatient: whether to wait for a describer that failed until it works again.
    /// - Returns: nil where there will be none: the task was cancelled, the pool closed, or the describer failed.
    package func takeTurn(isPatient: Bool = true) async -> Turn? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !state.isClosed, !Task.isCancelled else { return true }
                    if !isPatient, case .failed = state.availability { return true }
                    state.waiting.append(Waiter(id: id, isPatient: isPatient, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume(returning: nil) } else { change { _ in } }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: nil)
        }
    }

    /// Returns at once; while the describer is at a question for longer than `limit` for each face, only when it is not.
    package func pulse(limit: Duration) async {
        while case .ready(let describer) = availability, let busy = describer.busy,
            busy > limit * max(1, describer.mostTogether), !Task.isCancelled
        {
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Sends away all who wait, now and later.
    package func close() {
        state.withLock { $0.isClosed = true }
        sendAway { _ in true }
    }

    private func sendAway(_ isGone: @Sendable (Waiter) -> Bool) {
        let gone = state.withLock { state in
            let gone = state.waiting.filter(isGone)
            state.waiting.removeAll(where: isGone)
            return gone
        }
        for waiter in gone { waiter.continuation.resume(returning: nil) }
    }

    /// Changes the state and gives the turn to the first in line if it is free.
    private func change(_ body: (inout State) -> Void) {
        let next = state.withLock { state -> [(Waiter, Turn)] in
            body(&state)
            guard case .ready(let describer) = state.availability, state.round == nil, !state.waiting.isEmpty
            else { return [] }
            let most = max(1, describer.mostTogether)
            let seats = min(state.waiting.count, most)
            // The same for each, so that nobody's place in the line decides how much is answered.
            let faces = most / seats
            state.roundNumber += 1
            let next = (0..<seats).map { seat in
                let turn = Turn(
                    mostTogether: faces,
                    // A source alone knows itself how many it asks about.
                    share: seats == 1 ? 1 : seats * faces,
                    pool: self,
                    round: state.roundNumber,
                    seat: seat
                )
                return (state.waiting[seat], turn)
            }
            state.waiting.removeFirst(seats)
            state.round = DescribingRound(seats: seats)
            return next
        }
        for (waiter, turn) in next { waiter.continuation.resume(returning: turn) }
    }

    // MARK: - Asking together

    private func describe(
        _ requests: [DescriptionRequest],
        at seat: Int,
        of round: Int
    ) async -> [DescriptionAnswer] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                act(on: round) { $0.ask(requests, at: seat) { continuation.resume(returning: $0) } }
            }
        } onCancel: {
            act(on: round) { $0.cancel(seat) }
        }
    }

    /// Tells the round of an event and does what follows.
    private func act(on number: Int, _ event: (inout DescribingRound) -> [DescribingRound.Action]) {
        let (actions, describer) = state.withLock { state -> ([DescribingRound.Action], GuardedDescriber?) in
            guard state.roundNumber == number, var round = state.round else { return ([], nil) }
            let actions = event(&round)
            state.round = round
            if case .ready(let describer) = state.availability { return (actions, describer) }
            return (actions, nil)
        }
        for action in actions {
            switch action {
            case .answer(let reply, let answers): reply(answers)
            case .cancel(let work): work.cancel()
            case .end: change { $0.round = nil }
            case .start(let requests):
                // Belongs to the round, not to whoever of them asked last: it ends before the round does.
                let work = Task(name: "describer.round") {
                    let answers = await describer?.describe(requests) ?? []
                    act(on: number) { $0.finish(answers) }
                }
                act(on: number) { $0.began(work) }
            }
        }
    }

    // MARK: - FaceDescriber

    package var provenance: Provenance {
        if case .ready(let describer) = availability { return describer.provenance }
        return Provenance(describer: "facellm", versions: ["facellm": RunProvenance.version])
    }

    package var mostTogether: Int {
        if case .ready(let describer) = availability { describer.mostTogether } else { 1 }
    }

    package func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        switch availability {
        case .ready(let describer): await describer.describe(request)
        case .opening: DescriptionAnswer(status: .engineError, reason: "opening")
        case .failed: DescriptionAnswer(status: .engineError, reason: "unavailable")
        }
    }
}
