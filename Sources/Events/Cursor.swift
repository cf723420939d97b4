/// A place in the order of publication, over all instances: behind the line `seq` of an instance.
///
/// For readers it is an opaque text that they hand back to resume. The text is the one that `EventFactory` writes into
/// each line; `"9f1c2ab34de05678-42"`.
package struct Cursor: Sendable, Hashable {
    /// The start of the daemon that numbered the line.
    package let instanceID: String
    /// The line; 0 is the place before the first.
    package let seq: Int

    /// The largest number of a line: what leaves room for the instance in a 64-bit key.
    package static let maximumSeq = 1 << 40 - 1

    package init(instanceID: String, seq: Int) {
        self.instanceID = instanceID
        self.seq = seq
    }
}

extension Cursor: LosslessStringConvertible {
    package var description: String { "\(instanceID)-\(seq)" }

    /// Reads what `description` writes; `nil` for anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= 128, let dash = text.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
        let instanceID = text[..<dash]
        let digits = text[text.utf8.index(after: dash)...]
        guard Self.isInstanceID(instanceID), !digits.isEmpty,
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let seq = Int(digits), seq <= Self.maximumSeq
        else { return nil }
        self.init(instanceID: String(instanceID), seq: seq)
    }

    /// 1–64 letters, digits, `-` and `_`.
    private static func isInstanceID(_ text: Substring) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
