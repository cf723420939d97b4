internal import CFFmpeg

/// SHA-256, by libavutil: tells whether two inputs are the same without keeping them.
package final class SHA256 {
    private let state: OpaquePointer?

    package init() {
        state = av_sha_alloc()
        av_sha_init(state, 256)
    }

    deinit { av_free(UnsafeMutableRawPointer(state)) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        av_sha_update(state, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    package func update(_ bytes: some Sequence<UInt8>) {
        let all = Array(bytes)
        all.withUnsafeBytes { update($0) }
    }

    /// The digest, 32 bytes; nothing may be added after it.
    package func digest() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        av_sha_final(state, &digest)
        return digest
    }

    /// The digest in lower-case hexadecimal.
    package func finish() -> String {
        let digits = Array("0123456789abcdef")
        return String(digest().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
