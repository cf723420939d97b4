import FaceLLM
import Faces
import Foundation
import Imaging

/// What was said of a picture, for people and for programs.
struct DescribeResult {
    /// One line of `--json`; names as in the events.
    private struct Record: Encodable {
        var image: String
        var boundingBox: [String: Double]?
        var question: String?
        var text: String?
        var ending: String?
        var fields: [String: Field]?
        var notes: [String]?
        var choice: String?
        var probabilities: [String: Double]?
        var timing: Timing
    }

    private struct Field: Encodable {
        var value: String?
        var confidence: Double?
        var probabilities: [String: Double]
    }

    private struct Timing: Encodable {
        var totalMs: Double
        var visionMs: Double
        var prefillMs: Double
        var decodeMs: Double
        var inputTokens: Int
        var outputTokens: Int
    }

    private var record: Record
    /// In the order of the catalogue, which a dictionary does not keep.
    private var fieldOrder: [String] = []
    private var ranking: [(answer: String, probability: Double)] = []

    init(_ shown: [StillDescriber.Shown], report: FaceReport, question: String?) {
        record = Self.record(shown, timings: report.timings)
        if let description = report.description {
            record.question = question
            record.text = description.text
            record.ending = description.ending.rawValue
        }
        if let fields = report.fields {
            let scores = Dictionary(fields.scores.map { ($0.field, $0) }, uniquingKeysWith: { first, _ in first })
            var values: [String: Field] = [:]
            for answer in fields.answers {
                fieldOrder.append(answer.field)
                values[answer.field] = Field(
                    value: answer.value,
                    confidence: answer.probability.map(Self.rounded),
                    probabilities: Dictionary(
                        (scores[answer.field]?.values ?? []).map { ($0.value, Self.rounded($0.probability)) },
                        uniquingKeysWith: { first, _ in first }
                    )
                )
            }
            record.fields = values
            if !fields.resolutions.isEmpty { record.notes = fields.resolutions.map(\.description) }
        }
    }

    init(
        _ shown: [StillDescriber.Shown],
        question: String,
        answers: [String],
        scores: ChoiceScores,
        timings: EngineTimings
    ) {
        record = Self.record(shown, timings: timings)
        record.question = question
        record.choice = answers[scores.best]
        ranking = scores.ranking.map { (answers[$0], scores.probabilities[$0]) }
        record.probabilities = Dictionary(
            ranking.map { ($0.answer, Self.rounded($0.probability)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private static func record(_ shown: [StillDescriber.Shown], timings: EngineTimings) -> Record {
        var box: [String: Double]?
        if let first = shown.first, let face = first.face {
            let width = Float(max(1, first.size.width)), height = Float(max(1, first.size.height))
            box = [
                "left": rounded(Double(face.box.left / width)), "top": rounded(Double(face.box.top / height)),
                "width": rounded(Double(face.box.width / width)), "height": rounded(Double(face.box.height / height)),
            ]
        }
        return Record(
            image: shown.map(\.image).joined(separator: ", "),
            boundingBox: box,
            timing: Timing(
                totalMs: milliseconds(timings.total),
                visionMs: milliseconds(timings.vision),
                prefillMs: milliseconds(timings.prefill),
                decodeMs: milliseconds(timings.decode),
                inputTokens: timings.inputTokens,
                outputTokens: timings.outputTokens
            )
        )
    }

    private static func rounded(_ value: Double) -> Double { value.isFinite ? (value * 10_000).rounded() / 10_000 : 0 }

    private static func milliseconds(_ duration: Duration) -> Double {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        return (seconds * 10_000).rounded() / 10
    }

    // MARK: - Writing

    var line: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(record), as: UTF8.self)
        }
    }

    /// - Parameter image: named where there are several.
    func text(named image: String?) -> String {
        var lines: [String] = []
        if let text = record.text { lines.append(text) }
        if record.fields != nil { lines.append(fieldsText) }
        for (answer, probability) in ranking {
            lines.append("\(answer.padding(toLength: 24, withPad: " ", startingAt: 0)) \(Self.percent(probability))")
        }
        let text = lines.joined(separator: "\n")
        return image.map { "\($0):\(lines.count > 1 ? "\n" : " ")\(text)" } ?? text
    }

    /// A line for each field.
    var fieldsText: String {
        var lines = fieldOrder.map { name in
            let field = record.fields?[name]
            let value = field?.value?.replacingOccurrences(of: "_", with: " ") ?? "–"
            let confidence = field?.confidence.map(Self.percent) ?? ""
            return "\(name.padding(toLength: 16, withPad: " ", startingAt: 0)) "
                + "\(value.padding(toLength: 16, withPad: " ", startingAt: 0)) \(confidence)"
        }
        lines += record.notes ?? []
        return lines.joined(separator: "\n")
    }

    private static func percent(_ probability: Double) -> String { String(format: "%5.1f %%", 100 * probability) }
}
