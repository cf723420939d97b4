package import Analysis
package import Events
internal import Synchronization

/// The one describer that all sources share, and whose turn it is.
///
/// A source that has faces to describe waits for its turn, takes the best of them then, and goes to the end of the line
/// again: each source gets as many answers as any other that wants them, however many faces it shows. A describer that
/// cannot be opened is tried again for ever.
package final class DescriberPool: FaceDescriber {
    package enum Availability: Sendable {
        case opening
        case ready(any FaceDescriber)
        /// Why, for people.
        case failed(String)
    }

    package typealias Opener = @Sendable () async throws -> any FaceDescriber

    private struct Waiter {
        var id: Int
        /// Whether it waits for a describer that failed, too.
        var isPatient: Bool
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var availability = Availability.opening
        var waiting: [Waiter] = []
        var nextID = 0
        /// Whether somebody has the turn.
        var isTaken = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let retryInterval: Duration
    private let clock: any Clock<Duration>
    private let open: Opener

    /// - Parameters:
    ///   - retryInterval: between two attempts to open it.
    ///   - open: makes the describer.
    package init(
        retryInterval: Duration = .seconds(60),
        clock: any Clock<Duration> = .continuous,
        open: @escaping Opener
    ) {
        self.retryInterval = retryInterval
        self.clock = clock
        self.open = open
    }

    package var availability: Availability { state.withLock { $0.availability } }
    package var waitingSources: Int { state.withLock { $0.waiting.count } }

    /// Why nobody is described at present; nil while it works or is about to.
    package var failure: String? {
        if case .failed(let reason) = availability { reason } else { nil }
    }

    // MARK: - Opening

    /// Opens the describer, as often as it takes; returns when it is open or the task is cancelled.
    ///
    /// - Parameter report: called after each attempt, with what it came to.
    package func run(report: @Sendable (Availability) -> Void = { _ in }) async {
        while !Task.isCancelled {
            do {
                let describer = try await open()
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

    /// Waits until the describer works and it is the caller's turn; `endTurn` must follow.
    ///
    /// - Parameter isPatient: whether to wait for a describer that failed until it works again.
    /// - Returns: false where there will be none: the task was cancelled, the pool closed, or the describer failed.
    package func takeTurn(isPatient: Bool = true) async -> Bool {
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
                if isOver { continuation.resume(returning: false) } else { change { _ in } }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
    }

    /// Lets the next one in.
    package func endTurn() {
        change { $0.isTaken = false }
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
        for waiter in gone { waiter.continuation.resume(returning: false) }
    }

    /// Changes the state and gives the turn to the first in line if it is free.
    private func change(_ body: (inout State) -> Void) {
        let next = state.withLock { state -> Waiter? in
            body(&state)
            guard case .ready = state.availability, !state.isTaken, !state.waiting.isEmpty else { return nil }
            state.isTaken = true
            return state.waiting.removeFirst()
        }
        next?.continuation.resume(returning: true)
    }

    // MARK: - FaceDescriber

    package var provenance: Provenance {
        if case .ready(let describer) = availability { return describer.provenance }
        return Provenance(describer: "facellm", versions: ["facellm": RunProvenance.version])
    }

    package func describe(_ request: DescriptionRequest) async -> DescriptionAnswer {
        switch availability {
        case .ready(let describer): await describer.describe(request)
        case .opening: DescriptionAnswer(status: .engineError, reason: "opening")
        case .failed: DescriptionAnswer(status: .engineError, reason: "unavailable")
        }
    }
}
