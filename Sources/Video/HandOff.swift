internal import Dispatch
internal import Synchronization

/// What happens when the consumer is slower than the producer.
package enum OverloadPolicy: Sendable, Hashable {
    /// The producer waits; nothing is lost. For files.
    case backPressure
    /// The oldest waiting element goes; the newest is always there. For live sources.
    case dropOldest
}

/// A bounded channel from one thread, which may block, to one task, which may not.
package final class HandOff<Element: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Element?, any Error>

    private struct State {
        var queue: [Element] = []
        var waiter: Waiter?
        /// Set by `finish`: what `next` gives when the queue is empty.
        var end: Result<Void, any Error>?
        var isCancelled = false
        var producerWaits = false
    }

    private enum Attempt {
        case delivered(dropped: Element?)
        case resume(Waiter)
        case full
        case closed
    }

    /// How many elements `dropOldest` has to keep that `isDroppable` says no to: then the oldest of all goes.
    private static var mostKept: Int { 256 }

    package let depth: Int
    private let policy: OverloadPolicy
    private let isDroppable: @Sendable (Element) -> Bool
    private let state = Mutex(State())
    private let space = DispatchSemaphore(value: 0)

    /// - Parameter isDroppable: false for elements that `dropOldest` has to keep; they may exceed `depth`, within reason.
    package init(
        depth: Int,
        policy: OverloadPolicy,
        isDroppable: @escaping @Sendable (Element) -> Bool = { _ in true }
    ) {
        self.depth = max(1, depth)
        self.policy = policy
        self.isDroppable = isDroppable
    }

    // MARK: - Producer

    package enum Delivery {
        case delivered
        /// Delivered, and this older element was thrown away for it.
        case dropped(Element)
        /// The consumer wants nothing any more; the element was not taken.
        case closed
    }

    /// Hands over `element`; under back-pressure, blocks the calling thread while the channel is full.
    package func send(_ element: Element) -> Delivery {
        while true {
            switch state.withLock({ attempt(element, &$0) }) {
            case .delivered(let dropped): return dropped.map { .dropped($0) } ?? .delivered
            case .resume(let waiter):
                waiter.resume(returning: element)
                return .delivered
            case .closed: return .closed
            case .full: space.wait()
            }
        }
    }

    private func attempt(_ element: Element, _ state: inout State) -> Attempt {
        if state.isCancelled || state.end != nil { return .closed }
        if let waiter = state.waiter {
            state.waiter = nil
            return .resume(waiter)
        }
        if state.queue.count < depth {
            state.queue.append(element)
            return .delivered(dropped: nil)
        }
        switch policy {
        case .backPressure:
            state.producerWaits = true
            return .full
        case .dropOldest:
            let place = state.queue.firstIndex(where: isDroppable) ?? (state.queue.count < Self.mostKept ? nil : 0)
            let dropped = place.map { state.queue.remove(at: $0) }
            state.queue.append(element)
            return .delivered(dropped: dropped)
        }
    }

    /// Nothing comes any more.
    ///
    /// What waits is still delivered, then `error` if there is one.
    package func finish(throwing error: (any Error)? = nil) {
        let waiter = state.withLock { state -> Waiter? in
            guard state.end == nil else { return nil }
            state.end = error.map { .failure($0) } ?? .success(())
            defer { state.waiter = nil }
            return state.waiter
        }
        if let error { waiter?.resume(throwing: error) } else { waiter?.resume(returning: nil) }
    }

    // MARK: - Consumer

    /// The next element, or nil at the end or after `cancel`.
    ///
    /// One task at a time.
    ///
    /// - Throws: the producer's error; `CancellationError` when the task was cancelled, after which the channel works on.
    package func next() async throws -> Element? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: Waiter) in
                let outcome = state.withLock { state -> Result<Element?, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.isCancelled { return .success(nil) }
                    if !state.queue.isEmpty {
                        wakeProducer(&state)
                        return .success(state.queue.removeFirst())
                    }
                    if let end = state.end {
                        // An error is told once.
                        state.end = .success(())
                        return end.map { nil }
                    }
                    precondition(state.waiter == nil, "a hand-off has one consumer")
                    state.waiter = waiter
                    return nil
                }
                if let outcome { waiter.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// Ends both sides at once, and gives back what nobody took.
    @discardableResult
    package func cancel() -> [Element] {
        let (waiter, left) = state.withLock { state -> (Waiter?, [Element]) in
            state.isCancelled = true
            wakeProducer(&state)
            defer {
                state.waiter = nil
                state.queue = []
            }
            return (state.waiter, state.queue)
        }
        waiter?.resume(returning: nil)
        return left
    }

    private func wakeProducer(_ state: inout State) {
        guard state.producerWaits else { return }
        state.producerWaits = false
        space.signal()
    }
}
