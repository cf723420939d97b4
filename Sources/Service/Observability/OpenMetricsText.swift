/// The text format of OpenMetrics 1.0.0, which Prometheus and its relatives read.
///
/// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
package enum OpenMetricsText {
    package static let contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    /// Families without a line are left out; the lines of a family are sorted by their labels.
    static func of(_ families: [MetricsRegistry.Family]) -> String {
        var text = ""
        for family in families where !family.series.isEmpty {
            writeHead(family.declaration, into: &text)
            for (labels, cell) in family.series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                write(cell, family.declaration.sampleName, labels, into: &text)
            }
        }
        return text + "# EOF\n"
    }

    private static func writeHead(_ family: MetricFamily, into text: inout String) {
        text += "# TYPE \(family.familyName) \(family.typeName)\n"
        if let unit = family.unit { text += "# UNIT \(family.familyName) \(unit)\n" }
        if !family.help.isEmpty { text += "# HELP \(family.familyName) \(escaped(family.help))\n" }
    }

    private static func write(
        _ cell: MetricsRegistry.Cell,
        _ name: String,
        _ labels: [MetricLabel],
        into text: inout String
    ) {
        switch cell {
        case .counter(let cell):
            text += "\(name)\(braces(labels)) \(number(cell.value))\n"
        case .gauge(let cell):
            text += "\(name)\(braces(labels)) \(number(cell.value))\n"
        case .histogram(let cell):
            let counts = cell.counts
            var total: UInt64 = 0
            for (bound, count) in zip(cell.bounds + [.infinity], counts.buckets) {
                total += count
                let limit = MetricLabel(name: "le", value: bound == .infinity ? "+Inf" : bound.description)
                text += "\(name)_bucket\(braces(labels + [limit])) \(total)\n"
            }
            text += "\(name)_count\(braces(labels)) \(total)\n"
            text += "\(name)_sum\(braces(labels)) \(number(counts.sum))\n"
        }
    }

    private static func braces(_ labels: [MetricLabel]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",") + "}"
    }

    /// Backslash, quotation mark and line end, which would end a value; other characters stand as they are.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.magnitude < 0x1p53, value == value.rounded() { return "\(Int64(value))" }
        return value.description
    }
}

extension MetricFamily {
    /// What the head of the family says: of an info without its ending.
    fileprivate var familyName: String {
        guard kind == .info, name.hasSuffix("_info") else { return name }
        return String(name.dropLast("_info".count))
    }

    /// What the lines begin with.
    fileprivate var sampleName: String {
        kind == .counter ? name + "_total" : name
    }

    fileprivate var typeName: String {
        switch kind {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .info: "info"
        }
    }
}
