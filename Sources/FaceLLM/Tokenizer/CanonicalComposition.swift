/// Unicode normalisation form C of UTF-8 text, in linear time.
///
/// Foundation's would bring ICU into the process; the standard library has the combining classes, and the
/// decompositions are in `CanonicalMappings`. Follows Unicode Standard Annex #15.
struct CanonicalComposition: Sendable {
    static let standard = CanonicalComposition()

    /// Full decompositions; pairs of pairs are already taken apart.
    private let decompositions: [UInt32: [UInt32]]
    /// `first << 32 | second` to the composed scalar.
    private let compositions: [UInt64: UInt32]
    /// For each scalar of the BMP whether text that contains it may not be normalised; others are looked up.
    private let unsettledBMP: [Bool]
    private let unsettledBeyond: Set<UInt32>

    private init() {
        var single: [UInt32: [UInt32]] = [:]
        var compositions: [UInt64: UInt32] = [:]
        var unsettled: Set<UInt32> = []
        let separators = [UInt8(ascii: "\n"), UInt8(ascii: ";")]
        for run in CanonicalMappings.text.utf8.split(whereSeparator: separators.contains) {
            var target: UInt32 = 0
            for field in run.split(separator: UInt8(ascii: " ")) {
                if field.last == UInt8(ascii: ":") {
                    target = Self.hexadecimal(field.dropLast())
                    continue
                }
                let excluded = field.last == UInt8(ascii: "!")
                let parts = (excluded ? field.dropLast() : field).split(separator: UInt8(ascii: "+"))
                    .map(Self.hexadecimal)
                single[target] = parts
                if parts.count == 2 && !excluded {
                    compositions[UInt64(parts[0]) << 32 | UInt64(parts[1])] = target
                    unsettled.insert(parts[1])
                } else {
                    unsettled.insert(target)
                }
                target += 1
            }
        }
        unsettled.formUnion(0x1161...0x1175)  // Hangul vowels and final consonants join what stands before them
        unsettled.formUnion(0x11A8...0x11C2)

        // The first of a pair may itself be a pair, the second never is.
        var full: [UInt32: [UInt32]] = [:]
        full.reserveCapacity(single.count)
        for (scalar, parts) in single {
            var parts = parts
            while let first = parts.first, let deeper = single[first] { parts.replaceSubrange(0..<1, with: deeper) }
            full[scalar] = parts
        }
        self.decompositions = full
        self.compositions = compositions
        var table = [Bool](repeating: false, count: 0x1_0000)
        for scalar in UInt32(0x300)..<0x1_0000 where Self.combiningClass(scalar) != 0 { table[Int(scalar)] = true }
        for scalar in unsettled where scalar < 0x1_0000 { table[Int(scalar)] = true }
        unsettledBMP = table
        unsettledBeyond = unsettled.filter { $0 >= 0x1_0000 }
    }

    /// `text` in normalisation form C.
    ///
    /// - Parameter text: valid UTF-8.
    func normalize(_ text: [UInt8]) -> [UInt8] {
        // U+0300, the first scalar that can need anything, begins with 0xCC.
        guard text.contains(where: { $0 >= 0xCC }), isUnsettled(text) else { return text }
        var scalars: [UInt32] = []
        var classes: [UInt8] = []
        scalars.reserveCapacity(text.count)
        classes.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let (scalar, next) = UTF8Scalars.decode(text, at: index)
            index = next
            decompose(scalar, into: &scalars, &classes)
        }
        Self.reorder(&scalars, &classes)
        return compose(scalars, classes)
    }

    private func isUnsettled(_ text: [UInt8]) -> Bool {
        var index = 0
        while index < text.count {
            let (scalar, next) = UTF8Scalars.decode(text, at: index)
            index = next
            if scalar < 0x300 { continue }
            if scalar < 0x1_0000 {
                if unsettledBMP[Int(scalar)] { return true }
            } else if unsettledBeyond.contains(scalar) || Self.combiningClass(scalar) != 0 {
                return true
            }
        }
        return false
    }

    private func decompose(_ scalar: UInt32, into scalars: inout [UInt32], _ classes: inout [UInt8]) {
        if scalar >= 0xC0 {
            if (0xAC00...0xD7A3).contains(scalar) {
                let syllable = scalar - 0xAC00
                let final = syllable % 28
                scalars += [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28]
                classes += [0, 0]
                if final > 0 {
                    scalars.append(0x11A7 + final)
                    classes.append(0)
                }
                return
            }
            if let parts = decompositions[scalar] {
                for part in parts {
                    scalars.append(part)
                    classes.append(Self.combiningClass(part))
                }
                return
            }
        }
        scalars.append(scalar)
        classes.append(Self.combiningClass(scalar))
    }

    /// Sorts each run of combining marks by class, marks of one class staying in order.
    private static func reorder(_ scalars: inout [UInt32], _ classes: inout [UInt8]) {
        var index = 0
        while index < scalars.count {
            guard classes[index] != 0 else {
                index += 1
                continue
            }
            let start = index
            var sorted = true
            while index < scalars.count && classes[index] != 0 {
                if index > start && classes[index] < classes[index - 1] { sorted = false }
                index += 1
            }
            if sorted { continue }
            // Class, place, scalar in one number: 8 + 35 + 21 bits.
            let keys = (start..<index).map {
                UInt64(classes[$0]) << 56 | UInt64($0 - start) << 21 | UInt64(scalars[$0])
            }.sorted()
            for (offset, key) in keys.enumerated() {
                scalars[start + offset] = UInt32(key & 0x1F_FFFF)
                classes[start + offset] = UInt8(key >> 56)
            }
        }
    }

    private func compose(_ scalars: [UInt32], _ classes: [UInt8]) -> [UInt8] {
        var composed: [UInt32] = []
        composed.reserveCapacity(scalars.count)
        var starter = -1
        var lastClass: UInt8 = 0  // of what stands after the starter; 0: nothing does
        for (scalar, combiningClass) in zip(scalars, classes) {
            if starter >= 0, lastClass == 0 || lastClass < combiningClass,
                let joined = composition(composed[starter], scalar)
            {
                composed[starter] = joined
                continue
            }
            if combiningClass == 0 { starter = composed.count }
            lastClass = combiningClass
            composed.append(scalar)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(composed.count * 2)
        for scalar in composed { UTF8Scalars.append(scalar, to: &bytes) }
        return bytes
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if second < 0x300 { return nil }
        if (0x1100...0x1112).contains(first), (0x1161...0x1175).contains(second) {
            return 0xAC00 + (first - 0x1100) * 588 + (second - 0x1161) * 28
        }
        if (0xAC00...0xD7A3).contains(first), (first - 0xAC00) % 28 == 0, (0x11A8...0x11C2).contains(second) {
            return first + second - 0x11A7
        }
        return compositions[UInt64(first) << 32 | UInt64(second)]
    }

    private static func combiningClass(_ scalar: UInt32) -> UInt8 {
        if scalar < 0x300 { return 0 }
        return Unicode.Scalar(scalar)?.properties.canonicalCombiningClass.rawValue ?? 0
    }

    private static func hexadecimal(_ digits: Substring.UTF8View.SubSequence) -> UInt32 {
        digits.reduce(0) { $0 << 4 | UInt32($1 < 0x3A ? $1 - 0x30 : $1 - 0x37) }
    }
}
