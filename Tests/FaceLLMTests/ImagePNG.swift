import CFFmpeg
import FaceLLM
import Foundation
import Testing

/// PNG files to red, green and blue as Pillow's `convert("RGB")` has them: alpha is dropped, not composited.
enum ImagePNG {
    static func decode(_ data: Data, name: String) throws -> RGBImage {
        let codec = try #require(avcodec_find_decoder(AV_CODEC_ID_PNG), "FFmpeg has no PNG decoder")
        var context = avcodec_alloc_context3(codec)
        defer { avcodec_free_context(&context) }
        try #require(avcodec_open2(context, codec, nil) == 0)
        var packet = av_packet_alloc()
        defer { av_packet_free(&packet) }
        let held = try #require(packet)
        try #require(av_new_packet(held, Int32(data.count)) == 0)
        UnsafeMutableRawBufferPointer(start: held.pointee.data, count: data.count).copyBytes(from: data)
        var frame = av_frame_alloc()
        defer { av_frame_free(&frame) }
        let decoded = try #require(frame)
        try #require(avcodec_send_packet(context, held) == 0, "\(name) is not a PNG")
        // One frame delay with several threads.
        _ = avcodec_send_packet(context, nil)
        try #require(avcodec_receive_frame(context, decoded) == 0, "\(name) is not a PNG")
        return try expand(decoded.pointee, name: name)
    }

    private static func expand(_ frame: AVFrame, name: String) throws -> RGBImage {
        let width = Int(frame.width), height = Int(frame.height)
        let first = try #require(frame.data.0)
        var bytes = [UInt8](repeating: 0, count: 3 * width * height)
        var target = 0
        func append(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
            bytes[target] = red
            bytes[target + 1] = green
            bytes[target + 2] = blue
            target += 3
        }
        for y in 0..<height {
            let row = first + y * Int(frame.linesize.0)
            switch AVPixelFormat(rawValue: frame.format) {
            case AV_PIX_FMT_RGB24: for x in 0..<width { append(row[3 * x], row[3 * x + 1], row[3 * x + 2]) }
            case AV_PIX_FMT_RGBA: for x in 0..<width { append(row[4 * x], row[4 * x + 1], row[4 * x + 2]) }
            case AV_PIX_FMT_GRAY8: for x in 0..<width { append(row[x], row[x], row[x]) }
            case AV_PIX_FMT_YA8: for x in 0..<width { append(row[2 * x], row[2 * x], row[2 * x]) }
            case AV_PIX_FMT_MONOBLACK:
                for x in 0..<width {
                    let value: UInt8 = row[x / 8] >> (7 - UInt8(x % 8)) & 1 == 1 ? 255 : 0
                    append(value, value, value)
                }
            case AV_PIX_FMT_PAL8:
                let palette = try #require(frame.data.1)
                for x in 0..<width {
                    // Blue, green, red, alpha in memory.
                    let color = palette + 4 * Int(row[x])
                    append(color[2], color[1], color[0])
                }
            default:
                throw UnreadFormat(file: name, format: frame.format)
            }
        }
        return try RGBImage(width: width, height: height, bytes: bytes)
    }

    /// A PNG with pixels that none of the recorded ones has.
    struct UnreadFormat: Error {
        let file: String
        let format: Int32
    }
}
