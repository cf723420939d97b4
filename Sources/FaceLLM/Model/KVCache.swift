internal import CKernels

/// Keys and values of the tokens that a language model has seen, layer by layer.
///
/// A value: a copy is a fork. Forks share what they have in common, which is never written again; what a fork adds goes
/// into memory of its own. Copying costs a few references, however long the prefix is.
package struct KVCache {
    private struct Run {
        var storage: KVStorage
        /// Tokens of the storage that this cache counts; the storage may hold more, which belong to nobody.
        var count: Int
    }

    private var runs: [Run] = []
    private let layers: Int
    /// kvHeads · headDim.
    private let width: Int
    /// Tokens that it may hold.
    package let capacity: Int

    init(configuration: ModelConfiguration.Text, capacity: Int) {
        layers = configuration.layers
        width = configuration.kvHeads * configuration.headDim
        self.capacity = capacity
    }

    /// Tokens that it holds.
    package private(set) var count = 0

    /// Memory that this cache refers to, shared or not.
    package var byteCount: Int { runs.reduce(0) { $0 + $1.storage.byteCount } }

    /// Forgets all tokens from `count` on.
    package mutating func roll(backTo count: Int) {
        precondition(count >= 0 && count <= self.count, "rolling \(self.count) tokens back to \(count)")
        while self.count > count {
            let last = runs.count - 1, excess = self.count - count
            if runs[last].count <= excess {
                self.count -= runs[last].count
                runs.removeLast()
            } else {
                runs[last].count -= excess
                self.count = count
            }
        }
    }

    /// Makes room behind the last token.
    ///
    /// - Parameters:
    ///   - tokens: to be written now.
    ///   - expected: to come in all, so that one storage serves them.
    mutating func reserve(_ tokens: Int, expected: Int) {
        precondition(count + tokens <= capacity, "\(count + tokens) tokens in a cache of \(capacity)")
        let last = runs.count - 1
        if last >= 0, runs[last].count + tokens <= runs[last].storage.capacity,
            isKnownUniquelyReferenced(&runs[last].storage)
        {
            return
        }
        // An empty run that others share would only be in the way.
        if last >= 0, runs[last].count == 0 { runs.removeLast() }
        let wanted = min(capacity - count, max(tokens, expected, 64))
        runs.append(Run(storage: KVStorage(layers: layers, width: width, capacity: wanted), count: 0))
    }

    /// Counts tokens that were written to `newKeys` and `newValues`.
    mutating func commit(_ tokens: Int) {
        runs[runs.count - 1].count += tokens
        count += tokens
    }

    /// Where a layer's new keys go after `reserve`: [tokens, width].
    func newKeys(_ layer: Int) -> UnsafeMutablePointer<Float> {
        let run = runs[runs.count - 1]
        return run.storage.keys(layer) + run.count * width
    }

    func newValues(_ layer: Int) -> UnsafeMutablePointer<Float> {
        let run = runs[runs.count - 1]
        return run.storage.values(layer) + run.count * width
    }

    /// Calls `body` with a layer's tokens that count, for `ck_attention`.
    func withVisibleRuns(_ layer: Int, _ body: (UnsafePointer<ck_run>?, Int) -> Void) {
        withUnsafeTemporaryAllocation(of: ck_run.self, capacity: max(1, runs.count)) { target in
            var count = 0
            for index in 0..<runs.count {
                let run = runs[index]
                if run.count == 0 { continue }
                target.initializeElement(
                    at: count,
                    to: ck_run(
                        keys: run.storage.keys(layer),
                        values: run.storage.values(layer),
                        count: run.count,
                        ld: width
                    )
                )
                count += 1
            }
            body(UnsafePointer(target.baseAddress), count)
        }
    }
}

/// Memory for some tokens of all layers: [layers, 2, capacity, width].
private final class KVStorage {
    let capacity: Int
    private let width: Int
    private let base: UnsafeMutablePointer<Float>
    private let floats: Int

    init(layers: Int, width: Int, capacity: Int) {
        self.capacity = capacity
        self.width = width
        floats = max(1, layers * 2 * capacity * width)
        base = UnsafeMutableRawPointer.allocate(byteCount: floats * 4, alignment: 64)
            .bindMemory(to: Float.self, capacity: floats)
    }

    deinit { base.deallocate() }

    var byteCount: Int { floats * 4 }

    func keys(_ layer: Int) -> UnsafeMutablePointer<Float> { base + layer * 2 * capacity * width }
    func values(_ layer: Int) -> UnsafeMutablePointer<Float> { base + (layer * 2 + 1) * capacity * width }
}
