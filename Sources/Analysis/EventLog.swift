internal import Events

/// Numbers payloads, encodes them and writes them out.
struct EventLog: ~Copyable {
    private var factory: EventFactory
    private let encoder = EventEncoder()
    private var sink: JSONLinesSink

    init(path: String, source: String, stable: Bool) throws(EventError) {
        sink = try JSONLinesSink(path: path, linesPerFlush: 1)
        factory = EventFactory(source: source, stable: stable)
    }

    mutating func publish(_ payload: Event.Payload, epoch: Int) throws(EventError) {
        try sink.write(try encoder.line(factory.make(payload, epoch: epoch)))
    }

    mutating func publish(_ payloads: [Event.Payload], epoch: Int) throws(EventError) {
        for payload in payloads { try publish(payload, epoch: epoch) }
    }

    mutating func close() throws(EventError) {
        try sink.close()
    }
}
