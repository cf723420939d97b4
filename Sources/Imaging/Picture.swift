internal import CImaging

/// How the samples of a picture become red, green and blue.
package struct ColorTransform: Sendable, Hashable {
    /// rgb = matrix · (sample − offset), row-major, for samples of 0–255.
    package var matrix: [Float]
    package var offset: [Float]

    package init(matrix: [Float], offset: [Float]) {
        precondition(matrix.count == 9 && offset.count == 3, "a colour transform is 3 x 3 and 3, not \(matrix.count)")
        self.matrix = matrix
        self.offset = offset
    }

    /// Planes that are red, green and blue already, or grey.
    package static let identity = ColorTransform(matrix: [1, 0, 0, 0, 1, 0, 0, 0, 1], offset: [0, 0, 0])

    /// Y'CbCr with the luma weights `kr` and `kb` (ITU-R BT.601: 0.299, 0.114; BT.709: 0.2126, 0.0722;
    /// BT.2020: 0.2627, 0.0593) in limited (16–235) or full range.
    package static func yCbCr(kr: Float, kb: Float, fullRange: Bool) -> ColorTransform {
        let kg = 1 - kr - kb
        let y: Float = fullRange ? 1 : 255.0 / 219.0
        let c: Float = fullRange ? 1 : 255.0 / 224.0
        return ColorTransform(
            matrix: [
                y, 0, c * 2 * (1 - kr),
                y, -c * 2 * (1 - kb) * kb / kg, -c * 2 * (1 - kr) * kr / kg,
                y, c * 2 * (1 - kb), 0,
            ],
            offset: [fullRange ? 0 : 16, 128, 128]
        )
    }
}

/// One plane of bytes inside storage that somebody else owns.
package struct Plane: @unchecked Sendable {
    // Unchecked: the bytes are never written after the picture was made, and its `storage` keeps them alive.
    package let base: UnsafePointer<UInt8>
    /// Bytes from a row to the next.
    package let stride: Int
    package let size: Size

    package init(base: UnsafePointer<UInt8>, stride: Int, size: Size) {
        self.base = base
        self.stride = stride
        self.size = size
    }
}

/// An immutable 8-bit picture in planes, as a decoder delivers it, with what is needed to look at it upright.
///
/// All coordinates that the rest of the program uses are *displayed* pixels: rotation, mirroring and the pixel aspect
/// ratio of the stored picture are folded into `displayToStored`, so no pixel is ever copied to turn a picture.
package final class Picture: Sendable {
    /// Y', Cb, Cr or red, green, blue; or luma alone.
    package let planes: [Plane]
    package let color: ColorTransform
    /// Size as displayed.
    package let size: Size
    package let displayToStored: AffineMap
    /// Whatever owns the bytes of `planes`.
    private let storage: any Sendable

    package init(
        planes: [Plane],
        color: ColorTransform,
        size: Size? = nil,
        displayToStored: AffineMap = .identity,
        storage: any Sendable
    ) {
        precondition(planes.count == 1 || planes.count == 3, "a picture has 1 or 3 planes, not \(planes.count)")
        self.planes = planes
        self.color = color
        self.size = size ?? planes[0].size
        self.displayToStored = displayToStored
        self.storage = storage
    }

    /// A grey or RGB picture from bytes of its own, `size.width` bytes a row.
    package convenience init(planes bytes: [[UInt8]], size: Size) {
        precondition(bytes.allSatisfy { $0.count == size.width * size.height }, "planes do not fill \(size)")
        let storage = ByteStorage(concatenating: bytes)
        var planes: [Plane] = []
        var offset = 0
        for plane in bytes {
            planes.append(Plane(base: storage.base + offset, stride: size.width, size: size))
            offset += plane.count
        }
        self.init(planes: planes, color: .identity, storage: storage)
    }
}

/// Bytes on the heap, freed with their last owner.
package final class ByteStorage: @unchecked Sendable {
    // Unchecked: written before it is shared, read-only from then on.
    private let bytes: UnsafeMutablePointer<UInt8>
    package let count: Int

    package init(count: Int) {
        self.count = count
        // Vector loops of libswscale read past the end of a plane.
        bytes = .allocate(capacity: count + 64)
        bytes.initialize(repeating: 0, count: count + 64)
    }

    package convenience init(concatenating parts: [[UInt8]]) {
        self.init(count: parts.reduce(0) { $0 + $1.count })
        var offset = 0
        for part in parts {
            for (index, byte) in part.enumerated() { bytes[offset + index] = byte }
            offset += part.count
        }
    }

    deinit { bytes.deallocate() }

    package var base: UnsafePointer<UInt8> { UnsafePointer(bytes) }

    /// For filling it, before anybody else sees it.
    package var mutableBase: UnsafeMutablePointer<UInt8> { bytes }
}
