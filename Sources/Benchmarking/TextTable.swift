import Foundation

/// Columns of text, the first one flush left, the others flush right.
package struct TextTable: Sendable {
    private var rows: [[String]]

    package init(header: [String]) { rows = [header] }

    /// - Parameter row: as many cells as the header has.
    package mutating func append(_ row: [String]) {
        precondition(row.count == rows[0].count, "\(row.count) cells in a table of \(rows[0].count) columns")
        rows.append(row)
    }

    package var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// A number with so many digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

/// A number with three digits, or so many as its whole part has.
func readable(_ value: Double) -> String {
    fixed(value, abs(value) >= 99.95 ? 0 : abs(value) >= 9.995 ? 1 : abs(value) >= 0.9995 ? 2 : 3)
}
