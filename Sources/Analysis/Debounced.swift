/// A state that changes only after the new value held for a while: blinks and flickering labels pass it by.
package struct Debounced<Value: Sendable & Hashable>: Sendable {
    /// The value that counts; nil before the first.
    package private(set) var value: Value?
    private var candidate: Value?
    private var candidateSince: Double = 0
    private let hold: Double

    /// - Parameter hold: seconds that a new value has to last. The first value counts at once.
    package init(hold: Double) {
        self.hold = hold
    }

    package mutating func see(_ new: Value, at time: Double) {
        guard let current = value else {
            value = new
            return
        }
        if new == current {
            candidate = nil
        } else if candidate != new {
            candidate = new
            candidateSince = time
        }
        if let candidate, time - candidateSince >= hold {
            value = candidate
            self.candidate = nil
        }
    }
}
