/// What the lines of one name in the metrics text have in common.
package struct MetricFamily: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Only grows; its lines end in `_total`.
        case counter
        case gauge
        /// Upper bounds of the buckets, ascending, without infinity.
        case histogram(bounds: [Double])
        /// A gauge that is always 1 and tells by its labels; the name ends in `_info`.
        case info
    }

    /// As in `facellm_frames_decoded`, without `_total`, with the unit at the end.
    package let name: String
    package let kind: Kind
    /// One sentence for people.
    package let help: String
    /// The base unit that the name ends in, `seconds` or `bytes`; nil for counts.
    package let unit: String?

    package init(_ name: String, _ kind: Kind, unit: String? = nil, help: String) {
        self.name = Self.cleaned(name)
        self.kind = kind
        self.help = help
        self.unit = unit.flatMap { name.hasSuffix("_\($0)") ? $0 : nil }
    }

    /// For durations from a perception step to a slow description: 1 ms to 2 min.
    package static let durationBounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120,
    ]

    /// `name` with everything replaced that the format does not allow.
    static func cleaned(_ name: String) -> String {
        let scalars = name.unicodeScalars.map { scalar -> Character in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": Character(scalar)
            default: "_"
            }
        }
        guard let first = scalars.first else { return "_" }
        return first.isNumber ? "_" + String(scalars) : String(scalars)
    }
}

/// One label of a metric with its value, not yet escaped.
struct MetricLabel: Hashable, Comparable {
    let name: String
    let value: String

    static func < (left: MetricLabel, right: MetricLabel) -> Bool {
        (left.name, left.value) < (right.name, right.value)
    }
}
