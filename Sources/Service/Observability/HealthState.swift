/// Whether the daemon is alive and whether it is ready, with the reasons why not.
package struct HealthState: Sendable, Hashable {
    /// Stages that show no progress and are not idle either, one sentence each.
    package var stuck: [String]
    /// What is still missing before work can begin, one sentence each: `the model is being loaded`.
    package var missing: [String]

    package init(stuck: [String] = [], missing: [String] = []) {
        self.stuck = stuck
        self.missing = missing
    }

    /// Whether a restart would not help.
    package var isAlive: Bool { stuck.isEmpty }

    /// Sockets bound, models loaded and nothing stuck; an absent camera is a state of its source and does not count.
    package var isReady: Bool { isAlive && missing.isEmpty }
}
