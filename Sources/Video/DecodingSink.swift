/// Takes what a decoding thread makes, on that thread.
package protocol DecodingSink: AnyObject, Sendable {
    func send(_ event: VideoEvent) -> HandOff<VideoEvent>.Delivery
    /// A packet of the video stream came: the source is alive, whatever sampling makes of it.
    func packetArrived()
    /// Nothing comes any more.
    func finish(throwing error: (any Error)?)
}

extension HandOff: DecodingSink where Element == VideoEvent {
    package func packetArrived() {}
}
