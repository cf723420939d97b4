package import Analysis

/// Some who put their requests to the describer together: a value, told what happens and telling what to do.
///
/// The requests go out when everybody has asked or ended, in the order of the seats. Each gets his answers when all are
/// there. Who is cancelled while others go on gets none, at once; the last one who is cancelled stops the describer and
/// gets what it has by then.
package struct DescribingRound: Sendable {
    package typealias Reply = @Sendable ([DescriptionAnswer]) -> Void

    /// What is to be done after an event, in order.
    package enum Action: Sendable {
        /// Asks the describer; `began` and `finish` are to follow.
        case start([DescriptionRequest])
        case answer(Reply, [DescriptionAnswer])
        case cancel(Task<Void, Never>)
        /// All have ended, and so has the describer.
        case end
    }

    private enum Seat: Sendable {
        /// Has neither asked nor ended.
        case open(isCancelled: Bool)
        case asking([DescriptionRequest], Reply)
        /// Got its answers, or was cancelled.
        case answered
        case ended
    }

    private enum Work {
        case notBegun
        case running(Task<Void, Never>?)
        case done
    }

    private var seats: [Seat]
    private var work = Work.notBegun
    /// Of whom the requests are that the describer has, and how many of each.
    private var asked: [(seat: Int, count: Int)] = []
    private var isStopped = false
    private var isOver = false

    package init(seats: Int) {
        self.seats = Array(repeating: .open(isCancelled: false), count: seats)
    }

    // MARK: - Events

    package mutating func ask(
        _ requests: [DescriptionRequest],
        at seat: Int,
        reply: @escaping Reply
    ) -> [Action] {
        guard case .open(let isCancelled) = seats[seat], !isCancelled, !requests.isEmpty else {
            if case .open = seats[seat] { seats[seat] = .answered }
            return [.answer(reply, requests.map { _ in .cancelled })] + next()
        }
        seats[seat] = .asking(requests, reply)
        return next()
    }

    package mutating func cancel(_ seat: Int) -> [Action] {
        switch seats[seat] {
        case .open: seats[seat] = .open(isCancelled: true)
        case .asking(let requests, let reply):
            if case .running(let task) = work, !isOthersAsking(besides: seat) {
                isStopped = true
                return task.map { [.cancel($0)] } ?? []
            }
            seats[seat] = .answered
            return [.answer(reply, requests.map { _ in .cancelled })] + next()
        case .answered, .ended: break
        }
        return []
    }

    /// A turn is over.
    ///
    /// One that ends before it had its answers leaves nobody waiting: it gets none, as if it had been cancelled, and the
    /// describer stops when it works for no one else.
    package mutating func end(_ seat: Int) -> [Action] {
        var actions: [Action] = []
        if case .asking(let requests, let reply) = seats[seat] {
            actions.append(.answer(reply, requests.map { _ in .cancelled }))
            if case .running(let task) = work, !isOthersAsking(besides: seat) {
                isStopped = true
                if let task { actions.append(.cancel(task)) }
            }
        }
        seats[seat] = .ended
        return actions + next()
    }

    /// The describer was asked by `task`.
    package mutating func began(_ task: Task<Void, Never>) -> [Action] {
        guard case .running = work else { return [] }
        work = .running(task)
        return isStopped ? [.cancel(task)] : []
    }

    /// The describer has answered, by the order of the requests.
    package mutating func finish(_ answers: [DescriptionAnswer]) -> [Action] {
        work = .done
        var actions: [Action] = []
        var rest = answers[...]
        for (seat, count) in asked {
            let own = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
            guard case .asking(_, let reply) = seats[seat] else { continue }
            seats[seat] = .answered
            actions.append(.answer(reply, own))
        }
        return actions + next()
    }

    // MARK: - Rules

    private func isOthersAsking(besides seat: Int) -> Bool {
        seats.indices.contains { if case .asking = seats[$0] { $0 != seat } else { false } }
    }

    private mutating func next() -> [Action] {
        let isDecided = seats.allSatisfy { if case .open = $0 { false } else { true } }
        if case .notBegun = work, isDecided {
            var requests: [DescriptionRequest] = []
            for (index, seat) in seats.enumerated() {
                guard case .asking(let own, _) = seat else { continue }
                asked.append((index, own.count))
                requests += own
            }
            work = requests.isEmpty ? .done : .running(nil)
            if !requests.isEmpty { return [.start(requests)] }
        }
        let isEnded = seats.allSatisfy { if case .ended = $0 { true } else { false } }
        guard case .done = work, isEnded, !isOver else { return [] }
        isOver = true
        return [.end]
    }
}

extension DescriptionAnswer {
    /// Whoever asked did not wait.
    static let cancelled = DescriptionAnswer(status: .engineError, reason: "cancelled")
}
