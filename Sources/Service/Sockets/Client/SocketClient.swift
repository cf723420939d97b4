import NIOCore
import NIOPosix

/// One connection to a socket of the daemon, line by line.
struct SocketClient: Sendable {
    let path: String
    /// The longest line that the daemon may send, bytes.
    let maximumLength: Int

    /// Connects, lets `body` talk and closes.
    ///
    /// - Throws: `SocketError`, and what `body` throws.
    func connected<Result: Sendable>(
        _ body: (inout Conversation) async throws -> Result
    ) async throws -> Result {
        let channel: NIOAsyncChannel<ByteBuffer, Never>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(5))
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
                }
        } catch {
            throw SocketError(.connect, error, path: path)
        }
        return try await channel.executeThenClose { input in
            var conversation = Conversation(
                path: path,
                channel: channel.channel,
                input: input.makeAsyncIterator(),
                splitter: LineSplitter(maximumLength: maximumLength)
            )
            return try await body(&conversation)
        }
    }

    struct Conversation {
        let path: String
        fileprivate let channel: any Channel
        fileprivate var input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        fileprivate var splitter: LineSplitter

        /// Sends a line; returns when the kernel has it.
        func send(_ line: String) async throws(SocketError) {
            do {
                try await channel.writeAndFlush(ByteBuffer(string: line + "\n"))
            } catch {
                throw SocketError(.ask, error, path: path)
            }
        }

        /// The next line without its `\n`; nil at the end, where a line that was cut off is let go of.
        mutating func next() async throws(SocketError) -> [UInt8]? {
            do {
                while true {
                    if let line = try splitter.next() { return line }
                    guard let buffer = try await input.next(isolation: #isolation) else { return nil }
                    splitter.append(buffer.readableBytesView)
                }
            } catch is LineSplitter.TooLong {
                throw SocketError(.ask, .malformed, path: path, detail: "a line is longer than agreed")
            } catch {
                throw SocketError(.ask, error, path: path)
            }
        }
    }
}
