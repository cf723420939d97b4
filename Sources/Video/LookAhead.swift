internal import CFFmpeg

/// Owns one packet; its timestamps are those of the `Timeline` once it was placed there.
final class PacketBox {
    let packet: UnsafeMutablePointer<AVPacket>
    /// The stream's when the packet was read; a transport stream may change it.
    var codec = AV_CODEC_ID_NONE

    /// An empty packet; nil when memory is short.
    init?() {
        guard let packet = av_packet_alloc() else { return nil }
        self.packet = packet
    }

    deinit {
        var packet: UnsafeMutablePointer<AVPacket>? = packet
        av_packet_free(&packet)
    }

    var isKeyframe: Bool { packet.pointee.flags & AV_PKT_FLAG_KEY != 0 }

    /// No other picture is predicted from this one: its decoding serves nothing but itself.
    var isDisposable = false

    /// Only there to be predicted from: an edit list hides it.
    var isHidden: Bool { packet.pointee.flags & AV_PKT_FLAG_DISCARD != 0 }

    var presentation: Int64? {
        get { packet.pointee.pts == cff_NOPTS_VALUE ? nil : packet.pointee.pts }
        set { packet.pointee.pts = newValue ?? cff_NOPTS_VALUE }
    }

    var decoding: Int64? {
        get { packet.pointee.dts == cff_NOPTS_VALUE ? nil : packet.pointee.dts }
        set { packet.pointee.dts = newValue ?? cff_NOPTS_VALUE }
    }
}

/// The stretch of the stream that was asked for, in seconds from the stream's start.
struct TimeWindow: Sendable {
    /// Containers round times; a frame this close before a border counts as on it.
    private static let tolerance = 0.001

    let start: Double
    private let end: Double

    init(_ options: VideoReader.Options) {
        start = options.start ?? 0
        end = options.duration.map { (options.start ?? 0) + $0 - min(Self.tolerance, $0 / 2) } ?? .infinity
    }

    func isBefore(_ time: Double) -> Bool { time < start - Self.tolerance && start > 0 }

    func isBehind(_ time: Double) -> Bool { time >= end }
}

/// Keeps a few packets back until their times tell which of them sampling needs.
struct LookAhead {
    /// Enough for every reordering there is and half a second besides; past it packets are simply decoded.
    private static let maximumPackets = 48
    private static let maximumBytes = 16 << 20

    /// Frames by number, with those that are left out.
    var counter = FrameCounter()
    let onlyKeyframes: Bool
    private var planner: PacketPlanner?
    private let window: TimeWindow
    private let tick: Double
    private var queue: [PacketBox] = []
    private var bytes = 0

    /// - Parameter planner: nil if every frame is needed, or every keyframe.
    init(planner: PacketPlanner?, onlyKeyframes: Bool, window: TimeWindow, tick: Double) {
        self.planner = planner
        self.onlyKeyframes = onlyKeyframes
        self.window = window
        self.tick = tick
    }

    mutating func add(_ packet: PacketBox) {
        queue.append(packet)
        bytes += Int(packet.packet.pointee.size)
        if let time = plannedTime(packet), let decoding = packet.decoding {
            planner?.add(time: time, decodeTime: Double(decoding) * tick, isDisposable: packet.isDisposable)
        }
    }

    /// Whether the next packet's fate depends on packets that were not read yet.
    var wantsMore: Bool {
        guard let first = queue.first else { return true }
        return queue.count < Self.maximumPackets && bytes < Self.maximumBytes && verdict(on: first) == .undecided
    }

    /// The next packet in decoding order, and whether its frame itself is wanted.
    mutating func next() -> (packet: PacketBox, isNeeded: Bool)? {
        guard let packet = queue.first else { return nil }
        let isNeeded = verdict(on: packet) != .unneeded
        queue.removeFirst()
        bytes -= Int(packet.packet.pointee.size)
        if let time = packet.presentation, !packet.isHidden {
            counter.expect(time, isNeeded: isNeeded, isDisposable: packet.isDisposable)
        }
        return (packet, isNeeded)
    }

    /// Whether this packet and all behind it are presented after the stretch that was asked for.
    func isBehindWindow(_ packet: PacketBox) -> Bool {
        packet.decoding.map { window.isBehind(Double($0) * tick) } ?? false
    }

    private func verdict(on packet: PacketBox) -> PacketPlanner.Verdict {
        if packet.isHidden { return .unneeded }
        if onlyKeyframes, !packet.isKeyframe { return .unneeded }
        if let time = packet.presentation.map({ Double($0) * tick }), window.isBefore(time) || window.isBehind(time) {
            return .unneeded
        }
        guard let planner, packet.decoding != nil, let time = plannedTime(packet) else { return .needed }
        return planner.verdict(on: time)
    }

    /// The time by which sampling may choose the packet's frame.
    private func plannedTime(_ packet: PacketBox) -> Double? {
        guard !packet.isHidden, let time = packet.presentation.map({ Double($0) * tick }) else { return nil }
        return window.isBefore(time) || window.isBehind(time) ? nil : max(0, time)
    }
}
