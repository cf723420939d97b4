internal import Synchronization

/// Asks the stages of the daemon for a sign of life, and knows which of them owe one.
///
/// A stage that works through what it has answers in its turn, an idle one at once, one that hangs not at all. It is
/// asked again when it has answered, so that what hangs collects no questions; nobody waits for it meanwhile.
package final class Pulse: Sendable {
    /// Something with a queue or a thread of its own.
    package struct Stage: Sendable {
        package var name: String
        /// Returns when the stage has had its turn.
        package var turn: @Sendable () async -> Void

        package init(_ name: String, turn: @escaping @Sendable () async -> Void) {
            self.name = name
            self.turn = turn
        }
    }

    private let asked = Mutex<Set<String>>([])

    package init() {}

    /// Asks each stage that owes no answer.
    ///
    /// - Returns: the names of those that owe one since an earlier call, in order.
    package func beat(_ stages: [Stage]) -> [String] {
        let silent = asked.withLock { asked in
            // What has gone owes nothing.
            asked.formIntersection(stages.map(\.name))
            return asked
        }
        for stage in stages where !silent.contains(stage.name) {
            asked.withLock { _ = $0.insert(stage.name) }
            Task(name: "pulse.\(stage.name)") {
                await stage.turn()
                asked.withLock { _ = $0.remove(stage.name) }
            }
        }
        return silent.sorted()
    }
}
