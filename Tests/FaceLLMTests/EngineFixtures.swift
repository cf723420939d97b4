import Foundation
import Imaging
import Testing

@testable import FaceLLM

/// Engines on a tiny random model, which needs no file from outside.
enum EngineFixtures {
    /// Made once for all tests and removed when the process ends.
    private static let folder: Result<String, any Error> = Result {
        let path = FileManager.default.temporaryDirectory.appending(path: "facellm-engine-\(UUID().uuidString)").path
        try RandomCheckpoint(.tiny, seed: 7).write(to: path)
        remove = path
        atexit { if let path = EngineFixtures.remove { try? FileManager.default.removeItem(atPath: path) } }
        return path
    }

    // Written once, before the process can end.
    nonisolated(unsafe) private static var remove: String?

    static func engine(_ change: (inout Engine.Options) -> Void = { _ in }) throws -> Engine {
        var options = Engine.Options(threads: 2)
        change(&options)
        return try Engine(try folder.get(), options: options)
    }

    /// A picture that no other seed gives.
    static func picture(_ seed: UInt64, side: Int = 64) throws -> RGBImage {
        var generator = SplitMix64(seed: seed)
        let bytes = (0..<3 * side * side).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 32) }
        return try RGBImage(width: side, height: side, bytes: bytes)
    }
}

extension Engine {
    /// What a picture's answer is recognised by: every probability of a closed question, bit by bit.
    func signature(_ image: RGBImage, options: ChoiceOptions = ChoiceOptions()) throws -> [Double] {
        try choose(
            builder.face("What is it?"),
            answers: ["one", "two", "a third thing", "none at all"],
            pictures: [try tiles(of: image)],
            options: options
        ).scores.probabilities
    }

    func text(_ image: RGBImage, _ change: (inout DescriptionOptions) -> Void = { _ in }) throws -> String {
        var options = DescriptionOptions()
        options.answer = AnswerOptions(maximumTokens: 24, cutsAtSentence: false)
        change(&options)
        return try describe(
            builder.prompt(builder.face("What is it?")),
            pictures: [try tiles(of: image)],
            options: options
        ).text
    }
}
