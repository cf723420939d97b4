/// Why options cannot be scored; a mistake in the request, so a retry does not help.
package enum ChoiceError: Error, Hashable, CustomStringConvertible {
    /// A sequence has no scored token.
    case nothingToScore(sequence: Int, tokens: Int, contextCount: Int)
    /// A sequence alone has more nodes than a tree may have.
    case sequenceTooLong(sequence: Int, tokens: Int, maxNodes: Int)
    /// There is no option, or options and baselines do not go together.
    case optionCount(options: Int, baselines: Int?)
    /// The temperature is not a number within `ChoiceScores.temperatures`.
    case temperature(Double)

    package var description: String {
        switch self {
        case .nothingToScore(let sequence, let tokens, let contextCount):
            "sequence \(sequence) has \(tokens) tokens, \(contextCount) of them context: none is left to score"
        case .sequenceTooLong(let sequence, let tokens, let maxNodes):
            "sequence \(sequence) has \(tokens) tokens, a tree may have \(maxNodes)"
        case .optionCount(let options, let baselines):
            if let baselines {
                "\(options) options and \(baselines) baselines: expected as many of both, at least one"
            } else {
                "\(options) options: expected at least one"
            }
        case .temperature(let temperature):
            "a temperature of \(temperature): expected \(ChoiceScores.temperatures.lowerBound) to "
                + "\(ChoiceScores.temperatures.upperBound)"
        }
    }
}
