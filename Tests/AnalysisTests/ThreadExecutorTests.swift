import Analysis
import Foundation
import Glibc
import Testing

@Suite("A thread that yields")
struct ThreadExecutorTests {
    private actor Worker {
        private let executor = ThreadExecutor(label: "test", niceness: 7)
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        private var sum = 0

        func add(_ number: Int) { sum += number }
        var total: Int { sum }
        var niceness: Int32 { getpriority(Int32(PRIO_PROCESS.rawValue), 0) }
        /// Its folder in /proc.
        var thread: String { URL(filePath: "/proc/thread-self").resolvingSymlinksInPath().path }

        /// Of a thread that is started from here.
        func nicenessOfChild() -> Int32 {
            var thread = pthread_t()
            var result: UnsafeMutableRawPointer?
            pthread_create(
                &thread,
                nil,
                { _ in UnsafeMutableRawPointer(bitPattern: Int(getpriority(Int32(PRIO_PROCESS.rawValue), 0))) },
                nil
            )
            pthread_join(thread, &result)
            return Int32(Int(bitPattern: result))
        }
    }

    @Test("an actor and the threads it starts are nice, and others are not")
    func niceness() async {
        let before = getpriority(Int32(PRIO_PROCESS.rawValue), 0)
        let worker = Worker()
        #expect(await worker.niceness == max(7, before))
        #expect(await worker.nicenessOfChild() == max(7, before))
        #expect(getpriority(Int32(PRIO_PROCESS.rawValue), 0) == before)
    }

    @Test("every job runs, one at a time, on the same thread")
    func order() async {
        let worker = Worker()
        let thread = await worker.thread
        await withTaskGroup { group in
            for number in 1...1000 { group.addTask { await worker.add(number) } }
        }
        #expect(await worker.total == 500_500)
        #expect(await worker.thread == thread)
    }

    @Test("the thread ends with its executor")
    func ending() async throws {
        let path = await Worker().thread
        for _ in 0..<500 where access(path, F_OK) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(access(path, F_OK) != 0)
    }
}
