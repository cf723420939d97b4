import CoreMetrics
import Synchronization

/// A number that many threads add to without a lock.
private struct AtomicDouble: ~Copyable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func store(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (done, found) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if done { return }
            old = found
        }
    }
}

/// The value of one counter; exact up to 2⁵³.
final class CounterCell: CounterHandler, FloatingPointCounterHandler, Sendable {
    private let number = AtomicDouble()

    var value: Double { number.value }

    func increment(by amount: Int64) { increment(by: Double(amount)) }

    /// A counter never falls: what is negative or no number is left out.
    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        number.add(amount)
    }

    func reset() { number.store(0) }
}

/// The value of one gauge.
final class GaugeCell: RecorderHandler, MeterHandler, Sendable {
    private let number = AtomicDouble()

    var value: Double { number.value }

    func record(_ value: Int64) { number.store(Double(value)) }
    func record(_ value: Double) { number.store(value) }
    func set(_ value: Int64) { number.store(Double(value)) }
    func set(_ value: Double) { number.store(value) }
    func increment(by amount: Double) { number.add(amount) }
    func decrement(by amount: Double) { number.add(-amount) }
}

/// How often values fell below each of fixed bounds.
final class HistogramCell: RecorderHandler, TimerHandler, Sendable {
    struct Counts: Sendable, Hashable {
        /// One for each bound and one for what lies above the last; not cumulative.
        var buckets: [UInt64]
        var sum = 0.0
    }

    let bounds: [Double]
    private let state: Mutex<Counts>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Counts(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    var counts: Counts { state.withLock { $0 } }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        // A dozen bounds: walking them is as quick as halving.
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { counts in
            counts.buckets[bucket] += 1
            counts.sum += value
        }
    }

    /// Timers keep seconds, the base unit.
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
