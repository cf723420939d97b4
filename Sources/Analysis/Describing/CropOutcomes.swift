package import Events

/// In which counter of the ledger a request for a description ended; each ends in one.
package struct CropOutcomes: Sendable, Hashable {
    /// The end of a request.
    package enum Outcome: Sendable, Hashable, CaseIterable {
        /// The describer answered.
        case described
        /// A better crop of the same track took its place.
        case replaced
        /// It waited until it told nothing about now.
        case expired
        /// The queue was full or the run ended.
        case dropped
        /// The describer failed or ran out of time.
        case failed
    }

    /// All requests.
    package internal(set) var queued = 0
    private var ended: [Outcome: Int] = [:]

    package init() {}

    mutating func end(_ outcome: Outcome) {
        ended[outcome, default: 0] += 1
    }

    package subscript(_ outcome: Outcome) -> Int { ended[outcome] ?? 0 }

    /// Those that wait or are being described.
    package var pending: Int { queued - ended.values.reduce(0, +) }

    package func add(to ledger: inout Ledger) {
        ledger.cropsQueued += queued
        ledger.cropsDescribed += self[.described]
        ledger.cropsReplaced += self[.replaced]
        ledger.cropsExpired += self[.expired]
        ledger.cropsDroppedOverload += self[.dropped]
        ledger.cropsFailed += self[.failed]
        ledger.cropsPending += pending
    }
}
