internal import Dispatch
internal import FoundationEssentials
internal import Synchronization

/// Weights of noise in a safetensors file, the same bytes for the same seed on every machine.
///
/// Each value is a function of the seed, the tensor's name and the value's place (SplitMix64 with a counter), so that
/// threads can write any part. The eight bytes of a random word are added up: nearly a normal distribution, cut at 4.9
/// standard deviations, with 2,041 levels. Only integers, and one table for each tensor, are involved: no mathematical
/// library whose last digit differs between machines.
struct RandomWeights {
    let requirements: [TensorNames.Requirement]
    let seed: UInt64

    /// Mean and standard deviation of a tensor's values.
    struct Distribution: Hashable {
        var mean: Float
        var deviation: Float
    }

    /// Values of one piece of work: 2 MB.
    private static let pieceCount = 1 << 20

    /// Chosen so that signals keep about their size through any number of layers, and so that the logits spread (by
    /// about 4): noise with clear favourites, not a flat distribution.
    ///
    /// Linear layers get 0.6 / √inputs, which is 0.02 at a width of 896.
    static func distribution(of requirement: TensorNames.Requirement) -> Distribution {
        let name = requirement.name
        let inputs = Float(requirement.shape.dropFirst().reduce(1, *))
        if name.hasSuffix(".lambda_1") || name.hasSuffix(".lambda_2") { return .init(mean: 0.1, deviation: 0.01) }
        if name.hasSuffix(".bias") { return .init(mean: 0, deviation: 0.02) }
        if name.contains("norm") { return .init(mean: 1, deviation: 0.1) }
        switch name {
        case TensorNames.classToken, TensorNames.positions, TensorNames.embedding:
            return .init(mean: 0, deviation: 0.5)
        case TensorNames.head: return .init(mean: 0, deviation: 4 / inputs.squareRoot())
        default: return .init(mean: 0, deviation: 0.6 / inputs.squareRoot())
        }
    }

    // MARK: - The file

    /// Bytes of the whole file.
    var fileSize: Int { header.count + 2 * valueCount }

    var valueCount: Int { requirements.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    /// The length of the header and the header, which ends at a multiple of 64 bytes.
    private var header: [UInt8] {
        var entries = ["\"__metadata__\":{\"format\":\"pt\",\"note\":\"\(RandomCheckpoint.note(seed: seed))\"}"]
        var begin = 0
        for requirement in requirements {
            let end = begin + 2 * requirement.shape.reduce(1, *)
            entries.append(
                "\"\(requirement.name)\":"
                    + "{\"dtype\":\"BF16\",\"shape\":\(requirement.shape),\"data_offsets\":[\(begin),\(end)]}"
            )
            begin = end
        }
        var text = "{\(entries.joined(separator: ","))}"
        text += String(repeating: " ", count: (64 - (8 + text.utf8.count) % 64) % 64)
        return withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
    }

    /// Writes the file on all processors.
    ///
    /// - Parameter progress: called from any thread, one call at a time, with the bytes written so far.
    func write(to path: String, progress: @Sendable (Int) -> Void) throws(CheckpointError) {
        let header = header
        let pieces = pieces(after: header.count)
        let file = try NewFile(path)
        try file.reserve(header.count + 2 * valueCount)
        try file.write(header.span.bytes, at: 0)
        let next = Atomic(0)
        let state = Mutex((written: header.count, fault: CheckpointError?.none))
        DispatchQueue.concurrentPerform(iterations: ProcessInfo.processInfo.activeProcessorCount) { _ in
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: Self.pieceCount) { buffer in
                while case let index = next.add(1, ordering: .relaxed).oldValue, index < pieces.count {
                    let piece = pieces[index]
                    let values = UnsafeMutableBufferPointer(rebasing: buffer[..<piece.count])
                    piece.noise.fill(values, from: piece.first)
                    do throws(CheckpointError) {
                        try file.write(values.span.bytes, at: piece.offset)
                        state.withLock {
                            $0.written += 2 * piece.count
                            progress($0.written)
                        }
                    } catch {
                        state.withLock { $0.fault = $0.fault ?? error }
                        next.store(pieces.count, ordering: .relaxed)
                    }
                }
            }
        }
        if let fault = state.withLock({ $0.fault }) { throw fault }
    }

    /// A part of a tensor and where it belongs in the file.
    private struct Piece {
        let noise: Noise
        /// The first value, counted from the tensor's beginning.
        let first: Int
        let count: Int
        /// Bytes from the beginning of the file.
        let offset: Int
    }

    private func pieces(after headerCount: Int) -> [Piece] {
        var pieces: [Piece] = []
        var offset = headerCount
        for requirement in requirements {
            let noise = Noise(Self.distribution(of: requirement), seed: seed, name: requirement.name)
            let count = requirement.shape.reduce(1, *)
            for first in stride(from: 0, to: count, by: Self.pieceCount) {
                let length = min(Self.pieceCount, count - first)
                pieces.append(Piece(noise: noise, first: first, count: length, offset: offset + 2 * first))
            }
            offset += 2 * count
        }
        return pieces
    }
}

/// The values of one tensor, bfloat16.
private struct Noise: Sendable {
    private let key: UInt64
    /// The value for each sum of eight bytes, little-endian.
    private let table: [UInt16]

    init(_ distribution: RandomWeights.Distribution, seed: UInt64, name: String) {
        var hash = UInt64(0xCBF2_9CE4_8422_2325)
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        key = Self.mixed(hash ^ Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15))
        // A byte has the variance (256² - 1) / 12, so eight have 43,690.
        let scale = distribution.deviation / Float(43_690).squareRoot()
        table = (0...8 * 255).map { Self.bfloat16(distribution.mean + scale * Float($0 - 1020)).littleEndian }
    }

    func fill(_ values: UnsafeMutableBufferPointer<UInt16>, from first: Int) {
        table.withUnsafeBufferPointer { table in
            var counter = key &+ UInt64(first) &* 0x9E37_79B9_7F4A_7C15
            for index in values.indices {
                counter &+= 0x9E37_79B9_7F4A_7C15
                let bits = Self.mixed(counter)
                // Four sums of two bytes, then their sum in the uppermost 16 bits.
                let pairs = (bits & 0x00FF_00FF_00FF_00FF) &+ (bits >> 8 & 0x00FF_00FF_00FF_00FF)
                values[index] = table[Int(truncatingIfNeeded: (pairs &* 0x0001_0001_0001_0001) >> 48)]
            }
        }
    }

    /// The last step of SplitMix64.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// The nearest bfloat16, the even one of two.
    private static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }
}
