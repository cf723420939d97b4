internal import CFFmpeg

/// Tells from a packet's first bytes whether other pictures are predicted from its picture.
///
/// H.264: `nal_ref_idc` of the first slice (ITU-T H.264 7.3.1). HEVC: even types below 16 are sub-layer non-reference
/// pictures (ITU-T H.265 table 7-1). MPEG-1 and MPEG-2: B pictures (ITU-T H.262 6.3.9). In doubt a picture is needed.
struct Disposability {
    private let codec: AVCodecID
    /// Bytes of the length before each unit; nil where units begin with start codes.
    private let lengthSize: Int?

    init(_ parameters: UnsafeMutablePointer<AVCodecParameters>) {
        codec = parameters.pointee.codec_id
        let size = Int(parameters.pointee.extradata_size)
        // avcC and hvcC begin with their version, 1; start codes begin with 0.
        guard let bytes = parameters.pointee.extradata, size > 0, bytes[0] == 1 else {
            lengthSize = nil
            return
        }
        switch codec {
        case AV_CODEC_ID_H264 where size >= 7: lengthSize = Int(bytes[4] & 3) + 1
        case AV_CODEC_ID_HEVC where size >= 23: lengthSize = Int(bytes[21] & 3) + 1
        default: lengthSize = nil
        }
    }

    func isDisposable(_ packet: UnsafeMutablePointer<AVPacket>) -> Bool {
        if packet.pointee.flags & AV_PKT_FLAG_DISPOSABLE != 0 { return true }
        guard let data = packet.pointee.data, packet.pointee.size > 0 else { return false }
        let bytes = UnsafeBufferPointer(start: data, count: Int(packet.pointee.size))
        if let lengthSize {
            var offset = 0
            while offset + lengthSize < bytes.count {
                let length = (0..<lengthSize).reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
                if let verdict = verdict(onUnitAt: offset + lengthSize, of: bytes) { return verdict }
                guard length > 0, length <= bytes.count - offset - lengthSize else { return false }
                offset += lengthSize + length
            }
            return false
        }
        // Start codes: 00 00 01. Slices follow after a few small units at most.
        var offset = 0
        let end = min(bytes.count, 4096) - 3
        while offset < end {
            if bytes[offset] == 0, bytes[offset + 1] == 0, bytes[offset + 2] == 1 {
                if let verdict = verdict(onUnitAt: offset + 3, of: bytes) { return verdict }
                offset += 3
            } else {
                offset += 1
            }
        }
        return false
    }

    /// Nil for a unit that says nothing about it.
    private func verdict(onUnitAt offset: Int, of bytes: UnsafeBufferPointer<UInt8>) -> Bool? {
        guard offset < bytes.count else { return nil }
        let header = bytes[offset]
        switch codec {
        case AV_CODEC_ID_H264:
            return (1...5).contains(header & 31) ? header & 0x60 == 0 : nil
        case AV_CODEC_ID_HEVC:
            let type = header >> 1 & 63
            return type < 32 ? type < 16 && type % 2 == 0 : nil
        case AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO:
            guard header == 0, offset + 2 < bytes.count else { return nil }
            return bytes[offset + 2] >> 3 & 7 == 3
        default: return nil
        }
    }
}
