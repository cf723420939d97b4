internal import CFFmpeg
internal import Glibc

/// Reads a descriptor for FFmpeg so that waiting for bytes can be interrupted.
///
/// FFmpeg's own file and pipe protocols block in `read`, where no interrupt callback is asked: a reader of a FIFO that
/// nobody writes to could not be stopped. Standard input, FIFOs and devices therefore come through here.
final class ByteSource {
    private static let bufferSize = 64 * 1024
    /// How late a cancellation may be noticed, milliseconds.
    private static let pollInterval: Int32 = 100

    private let descriptor: Int32
    private let closesDescriptor: Bool
    private let interrupt: Interrupt
    private let isSeekable: Bool
    private(set) var context: UnsafeMutablePointer<AVIOContext>?

    /// Takes over the descriptor if `closing`; nil when memory is short.
    init?(descriptor: Int32, closing: Bool, interrupt: Interrupt) {
        self.descriptor = descriptor
        closesDescriptor = closing
        self.interrupt = interrupt
        var status = stat()
        isSeekable = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        guard let buffer = av_malloc(Self.bufferSize) else { return nil }
        context = avio_alloc_context(
            buffer.assumingMemoryBound(to: UInt8.self),
            Int32(Self.bufferSize),
            0,
            Unmanaged.passUnretained(self).toOpaque(),
            { opaque, bytes, count in
                guard let opaque, let bytes else { return cff_ERROR_EINVAL }
                return Unmanaged<ByteSource>.fromOpaque(opaque).takeUnretainedValue().read(bytes, count)
            },
            nil,
            isSeekable
                ? { opaque, offset, whence in
                    guard let opaque else { return Int64(cff_ERROR_EINVAL) }
                    return Unmanaged<ByteSource>.fromOpaque(opaque).takeUnretainedValue().seek(offset, whence)
                } : nil
        )
        guard let context else {
            av_free(buffer)
            return nil
        }
        context.pointee.seekable = isSeekable ? AVIO_SEEKABLE_NORMAL : 0
    }

    deinit {
        if let context {
            // FFmpeg may have replaced the buffer by a larger one.
            av_free(context.pointee.buffer)
            avio_context_free(&self.context)
        }
        if closesDescriptor { close(descriptor) }
    }

    private func read(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
        while true {
            if interrupt.isDue { return cff_ERROR_EXIT }
            // A FIFO that had no writer yet is neither readable nor hung up, so this waits for one.
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, Self.pollInterval)
            if ready < 0, errno != EINTR { return -errno }
            guard ready > 0 else { continue }
            let got = Glibc.read(descriptor, bytes, Int(count))
            if got > 0 { return Int32(got) }
            if got == 0 { return cff_ERROR_EOF }
            if errno != EINTR, errno != EAGAIN { return -errno }
        }
    }

    private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        if whence & AVSEEK_SIZE != 0 {
            var status = stat()
            return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : Int64(-errno)
        }
        let place = lseek(descriptor, Int(offset), whence & ~AVSEEK_FORCE)
        return place >= 0 ? Int64(place) : Int64(-errno)
    }
}
