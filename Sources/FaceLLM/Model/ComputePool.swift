internal import CKernels

/// The threads that compute, and their scratch memory: the one owner of parallelism in the engine.
///
/// Serves one caller at a time, and so is not `Sendable`: it lives in the actor or on the thread that computes.
package final class ComputePool {
    let handle: OpaquePointer

    /// - Parameter threads: the caller's own included; at least 1.
    package init(threads: Int) throws(EngineError) {
        guard threads >= 1, threads <= 1024, let handle = ck_pool_create(Int32(threads)) else {
            throw EngineError(.startThreads, reason: "\(threads) threads cannot be had", remedy: "Ask for fewer.")
        }
        self.handle = handle
    }

    deinit { ck_pool_destroy(handle) }

    package var threads: Int { Int(ck_pool_threads(handle)) }
}

/// Floats that live as long as a model: norms, biases, positions.
final class FloatVector {
    let pointer: UnsafePointer<Float>
    let count: Int

    init(_ values: [Float]) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, values.count))
        memory.initialize(from: values, count: values.count)
        pointer = UnsafePointer(memory)
        count = values.count
    }

    deinit { pointer.deallocate() }
}

/// Working memory of one purpose: grows to the largest need once, then nothing is allocated any more.
final class Scratch {
    private(set) var pointer: UnsafeMutablePointer<Float>
    private var capacity: Int

    init() {
        capacity = 0
        pointer = UnsafeMutablePointer<Float>.allocate(capacity: 1)
    }

    deinit { pointer.deallocate() }

    /// Memory for `count` floats; what was in it is lost where it had to grow.
    func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count > capacity {
            pointer.deallocate()
            pointer = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
                .bindMemory(to: Float.self, capacity: count)
            capacity = count
        }
        return pointer
    }
}
