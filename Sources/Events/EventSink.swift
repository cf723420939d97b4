/// Takes lines in the order of publication and keeps or forwards them.
///
/// A sink may be noncopyable, as one that owns a file is; hold it as a generic parameter or as
/// `any EventSink & ~Copyable`. It has one user at a time and may block.
package protocol EventSink: ~Copyable, Sendable {
    /// Lines that reached the operating system.
    var linesWritten: Int { get }
    /// Takes a line; it may stay in a buffer until `flush()` or `close()`.
    mutating func write(_ line: EventLine) throws(EventError)
    /// Hands on everything taken so far.
    mutating func flush() throws(EventError)
    /// Flushes and begins the output anew under the same name, as after a rotation by somebody else.
    mutating func reopen() throws(EventError)
    /// Flushes and lets go of the output; later calls do nothing.
    mutating func close() throws(EventError)
}

extension EventSink where Self: ~Copyable {
    /// For outputs that have no name to open again.
    package mutating func reopen() throws(EventError) {
        try flush()
    }
}
