internal import CFFmpeg

extension Demuxer {
    /// Goes to the last keyframe at or before `start` and reads it.
    ///
    /// Indexes of transport streams are guessed from decoding times and may land too late, so this looks where it landed
    /// and goes back further.
    ///
    /// - Parameters:
    ///   - start: seconds since the stream's start.
    ///   - tick: seconds of the stream's time base.
    /// - Returns: the keyframe's packet and its time; nil if the input cannot seek, and then reading goes on where it was.
    func seekKeyframe(before start: Double, tick: Double) -> (packet: PacketBox, time: Double)? {
        guard isSeekable else { return nil }
        let origin = startTime ?? 0
        for margin in [0, 2, 10, start] {
            let ticks = (max(0, start - margin) / tick).rounded(.down)
            guard ticks < 1e18, seek(to: origin &+ Int64(ticks)) else { return nil }
            var attempts = 0
            while attempts < 2000, let packet = PacketBox() {
                guard case .packet = read(into: packet.packet) else { break }
                attempts += 1
                guard packet.isKeyframe, let stamp = packet.presentation ?? packet.decoding else { continue }
                let time = Double(stamp &- origin) * tick
                if time > start, margin < start { break }
                return (packet, time)
            }
        }
        return nil
    }
}
