internal import Events

/// Numbers payloads, encodes them and writes them out.
struct EventLog: ~Copyable {
    private var factory: EventFactory
    private let encoder = EventEncoder()
    private var sink: JSONLinesSink
    private let observer: (@Sendable (Event) -> Void)?

    /// - Parameter observer: is told of each event after it was written.
    init(
        path: String,
        source: String,
        stable: Bool,
        observer: (@Sendable (Event) -> Void)? = nil
    ) throws(EventError) {
        self.observer = observer
        sink = try JSONLinesSink(path: path, linesPerFlush: 1)
        factory = EventFactory(source: source, stable: stable)
    }

    mutating func publish(_ payload: Event.Payload, epoch: Int) throws(EventError) {
        let event = factory.make(payload, epoch: epoch)
        try sink.write(try encoder.line(event))
        observer?(event)
    }

    mutating func publish(_ payloads: [Event.Payload], epoch: Int) throws(EventError) {
        for payload in payloads { try publish(payload, epoch: epoch) }
    }

    mutating func close() throws(EventError) {
        try sink.close()
    }
}
