import NIOCore
import NIOPosix

/// The loops that all sockets of the process share.
enum EventLoops {
    /// Returns when each loop has had its turn, which it gets unless something blocks it.
    static func pulse() async {
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
            // A loop that has ended, as at the end of the process, has nothing to hang with.
            try? await loop.submit {}.get()
        }
    }
}
