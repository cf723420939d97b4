import Events
import Foundation
import TestSupport
import Testing

@testable import Report

@Suite("Subtitles")
struct SubtitleTests {
    private struct Cue: Equatable {
        var number: Int
        var start: Int
        var end: Int
        var lines: [String]
    }

    /// Reads SubRip strictly: a number, two times, lines, an empty line.
    private func parse(_ srt: String) throws -> [Cue] {
        try srt.components(separatedBy: "\n\n").dropLast().map { block in
            let lines = block.components(separatedBy: "\n")
            let times = try #require(lines.count > 2 ? lines[1] : nil).components(separatedBy: " --> ")
            #expect(times.count == 2 && times.allSatisfy { $0.wholeMatch(of: /\d{2,}:\d\d:\d\d,\d{3}/) != nil })
            let milliseconds = times.map { time in
                let parts = time.split { $0 == ":" || $0 == "," }.compactMap { Int($0) }
                return ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3]
            }
            return Cue(
                number: try #require(Int(lines[0])),
                start: milliseconds[0],
                end: milliseconds[1],
                lines: Array(lines.dropFirst(2))
            )
        }
    }

    private func subtitles(_ lines: Lines) -> Subtitles {
        var subtitles = Subtitles()
        for event in lines.events { subtitles.see(event) }
        return subtitles
    }

    @Test("each sentence until the next, two faces in two lines, no overlap")
    func sentences() throws {
        var lines = Lines()
        try lines.addFace("t1", at: [0, 10], text: "One looks up.")
        try lines.addFace("t2", at: [4, 6], text: "Another smiles.")
        let cues = try parse(subtitles(lines).srt)
        #expect(
            cues == [
                Cue(number: 1, start: 0, end: 4000, lines: ["t1: One looks up."]),
                Cue(number: 2, start: 4000, end: 6500, lines: ["t1: One looks up.", "t2: Another smiles."]),
                Cue(number: 3, start: 6500, end: 10_500, lines: ["t1: One looks up."]),
            ]
        )
    }

    @Test("a model's sentences replace those of templates")
    func model() throws {
        var lines = Lines()
        try lines.addFace("t1", at: [0, 5], text: "Template.")
        lines.add(
            .faceAnalysis(
                FaceAnalysis(
                    trackID: "t1",
                    frame: try Lines.frame(1),
                    face: try Lines.face(),
                    description: DescriptionRecord(text: "A woman smiles. Привет 🙂", method: .vlm),
                    analysis: AnalysisRecord(status: .ok)
                )
            )
        )
        #expect(
            try parse(subtitles(lines).srt) == [
                Cue(number: 1, start: 1000, end: 5000, lines: ["A woman smiles. Привет 🙂"])
            ]
        )
    }

    @Test("nothing in a sentence is markup or ends a subtitle")
    func markup() throws {
        var lines = Lines()
        try lines.addFace("t1", at: [0, 5], text: "<b>{\\an8}\r\n\n2\n00:00:01,000 --> 00:00:02,000\u{0}x")
        let srt = subtitles(lines).srt
        #expect(try parse(srt).count == 1)
        for character in ["<b>", "{", "}", "\\", "\r", "\u{0}"] { #expect(!srt.contains(character), "\(character)") }
        #expect(srt.components(separatedBy: "-->").count == 2)
    }

    @Test("whatever is said when, pieces are in order and apart", arguments: 0..<30)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var lines = Lines()
        for number in 1...Int.random(in: 1...12, using: &generator) {
            let times = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                Double.random(in: -2...120, using: &generator)
            }.sorted()
            try lines.addFace("t\(number)", at: times, text: "Sentence \(Int.random(in: 0...3, using: &generator)).")
        }
        let cues = try parse(subtitles(lines).srt)
        #expect(!cues.isEmpty && cues.map(\.number) == Array(1...cues.count), "seed \(seed)")
        #expect(cues.allSatisfy { $0.start < $0.end && (1...5).contains($0.lines.count) }, "seed \(seed)")
        #expect(zip(cues, cues.dropFirst()).allSatisfy { $0.end <= $1.start }, "seed \(seed)")
    }

    @Test("without a sentence there is nothing to show")
    func silent() {
        #expect(Subtitles().isEmpty && Subtitles().srt == "")
    }
}
