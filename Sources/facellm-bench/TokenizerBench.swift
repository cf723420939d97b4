import ArgumentParser
import Benchmarking
import FaceLLM
import Foundation

/// `facellm-bench tokenizer`: how fast text becomes tokens.
struct TokenizerBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer",
        abstract: "Times the conversion of text to tokens and back, in MB/s.",
        discussion: """
            The text is repeated up to --megabytes. Without --text it is made of words and numbers that no cache has \
            seen before, of the kind that descriptions have; a real text is faster, since words come again.
            """
    )

    @Option(help: ArgumentHelp("The model's folder.", valueName: "dir"))
    var model: String

    @Option(help: ArgumentHelp("A file of UTF-8 text.", valueName: "file"))
    var text: String?

    @Option(help: "Length of the text.")
    var megabytes = 4.0

    @Option(help: "Measurements, after one that is thrown away.")
    var samples = 5

    @Flag(help: "Prints JSON.")
    var json = false

    func validate() throws {
        guard samples > 0 else { throw ValidationError("--samples must be at least 1") }
        guard 0.001...1000 ~= megabytes else { throw ValidationError("--megabytes must be 0.001 to 1000") }
    }

    private struct Report: Encodable {
        let bytes: Int
        let tokens: Int
        let encodeMegabytesPerSecond: SampleStatistics
        let decodeMegabytesPerSecond: SampleStatistics
        let isRestored: Bool
    }

    func run() throws {
        let tokenizer = try Tokenizer(folder: try Checkpoint.modelDirectory(model))
        let text = try makeText()
        let ids = tokenizer.encode(text)
        let restored = tokenizer.decode(ids)
        let encode = try rates(of: text) { tokenizer.encode(text).count }
        let decode = try rates(of: text) { tokenizer.decode(ids).utf8.count }
        let report = Report(
            bytes: text.utf8.count,
            tokens: ids.count,
            encodeMegabytesPerSecond: encode,
            decodeMegabytesPerSecond: decode,
            isRestored: restored == text
        )
        if json {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            let perToken = Double(report.bytes) / Double(max(1, report.tokens))
            print(MachineDescription.current.line)
            print(String(format: "%d bytes, %d tokens, %.2f bytes a token", report.bytes, report.tokens, perToken))
            // The slowest sample is the least rate.
            for (name, rate) in [("text to tokens", encode), ("tokens to text", decode)] {
                print(
                    String(
                        format: "%@: median %.1f MB/s, slowest %.1f, one thread",
                        name,
                        rate.median,
                        rate.minimum
                    )
                )
            }
            print(restored == text ? "the text comes back as it was" : "THE TEXT DOES NOT COME BACK AS IT WAS")
        }
        if restored != text { throw ExitCode(1) }
    }

    private func rates(of text: String, _ work: () -> Int) throws -> SampleStatistics {
        var rates: [Double] = []
        for sample in 0...samples {
            let start = ContinuousClock.now
            guard work() > 0 else { throw ValidationError("the text is empty") }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            if sample > 0 { rates.append(Double(text.utf8.count) / 1e6 / seconds) }
        }
        guard let statistics = SampleStatistics(rates) else { throw ValidationError("no time was measured") }
        return statistics
    }

    private func makeText() throws -> String {
        let size = Int(megabytes * 1e6)
        if let path = text {
            let once = try String(contentsOf: URL(filePath: path), encoding: .utf8)
            guard !once.isEmpty else { throw ValidationError("\(path) is empty") }
            return String(repeating: once, count: max(1, size / once.utf8.count))
        }
        var state: UInt64 = 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let syllables = ["fa", "ce", "li", "ght", "ex", "press", "ion", "hair", "sm", "ile", "é", "tr", "ou", "ing"]
        var text = ""
        text.reserveCapacity(size + 64)
        while text.utf8.count < size {
            for _ in 0...next(4) { text += syllables[next(syllables.count)] }
            switch next(12) {
            case 0: text += ". "
            case 1: text += ", "
            case 2: text += " \(next(1000)) "
            case 3: text += "'s "
            case 4: text += next(8) == 0 ? "\n\n" : " "
            default: text += " "
            }
        }
        return text
    }
}
