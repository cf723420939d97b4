/// A series in bounded memory: when it is full, every other element goes, and from then on every other one is kept.
///
/// What is left is spread evenly over the whole series, whatever its length.
struct Thinned<Element: Sendable>: Sendable {
    let capacity: Int
    private(set) var elements: [Element] = []
    private(set) var count = 0
    private var stride = 1

    /// - Parameter capacity: at least 2.
    init(capacity: Int) {
        self.capacity = max(2, capacity)
    }

    mutating func append(_ element: Element) {
        defer { count += 1 }
        guard count.isMultiple(of: stride) else { return }
        elements.append(element)
        guard elements.count > capacity else { return }
        elements = elements.indices.filter { $0.isMultiple(of: 2) }.map { elements[$0] }
        stride *= 2
    }
}
