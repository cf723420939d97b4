package import FoundationEssentials

/// One linear layer and a softmax over the features of `ExpressionFeatures`: the only part of the expression classifier
/// that is ours.
///
/// Fitted by `scripts/fit-expression`; the figures of its cross-validation lie in the same file.
package struct ExpressionHead: Sendable, Hashable {
    /// [expressions, features], row-major.
    package let weights: [Float]
    package let bias: [Float]

    /// - Parameters:
    ///   - weights: [8, 1024], row-major.
    package init(weights: [Float], bias: [Float]) throws(FacesError) {
        let classes = Expression.allCases.count
        guard weights.count == classes * ExpressionFeatures.count, bias.count == classes,
            (weights + bias).allSatisfy(\.isFinite)
        else {
            throw FacesError(
                .readParameters,
                subject: "expression-head.json",
                reason: "expected \(classes) x \(ExpressionFeatures.count) finite weights and \(classes) biases, "
                    + "found \(weights.count) and \(bias.count)"
            )
        }
        self.weights = weights
        self.bias = bias
    }

    /// Calibrated probabilities.
    package func scores(_ features: [Float]) -> ExpressionScores {
        precondition(features.count == ExpressionFeatures.count, "\(features.count) features, expected 1024")
        var logits = bias
        for row in logits.indices {
            let start = row * features.count
            var sum: Float = 0
            for index in features.indices { sum += weights[start + index] * features[index] }
            logits[row] += sum
        }
        return ExpressionScores(logits: logits)
    }

    // MARK: - File

    /// The head that the project ships.
    package static func standard() throws(FacesError) -> ExpressionHead {
        try ExpressionHead(json: Data(PackageResources.expression_head_json))
    }

    package init(json: Data) throws(FacesError) {
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: json)
        } catch {
            throw FacesError(.readParameters, subject: "expression-head.json", reason: "it cannot be read: \(error)")
        }
        guard let bytes = Data(base64Encoded: file.weights),
            bytes.count == 2 * ExpressionFeatures.count * file.bias.count,
            file.scale.count == file.bias.count, file.labels == Expression.allCases.map(\.rawValue)
        else {
            throw FacesError(
                .readParameters,
                subject: "expression-head.json",
                reason: "its weights do not fit its labels; run scripts/fit-expression to make it again"
            )
        }
        var weights: [Float] = []
        weights.reserveCapacity(bytes.count / 2)
        for index in stride(from: 0, to: bytes.count, by: 2) {
            let value = Int16(truncatingIfNeeded: Int(bytes[index]) | Int(bytes[index + 1]) << 8)
            weights.append(Float(value) * file.scale[index / 2 / ExpressionFeatures.count])
        }
        try self.init(weights: weights, bias: file.bias)
    }

    /// The file's text: weights in 16 bits, one scale a class.
    ///
    /// - Parameter figures: what cross-validation found, for the reader.
    package func json(figures: [String: Double]) throws -> Data {
        var bytes = Data()
        var scales: [Float] = []
        for row in bias.indices {
            let values = weights[row * ExpressionFeatures.count..<(row + 1) * ExpressionFeatures.count]
            let scale = max(1e-12, (values.map(abs).max() ?? 0) / 32767)
            scales.append(scale)
            for value in values {
                let quantised = UInt16(bitPattern: Int16((value / scale).rounded()))
                bytes.append(UInt8(quantised & 255))
                bytes.append(UInt8(quantised >> 8))
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(
            File(
                labels: Expression.allCases.map(\.rawValue),
                bias: bias,
                scale: scales,
                weights: bytes.base64EncodedString(),
                figures: figures
            )
        )
    }

    private struct File: Codable {
        var labels: [String]
        var bias: [Float]
        /// Weight = 16-bit integer · scale of its class.
        var scale: [Float]
        /// [8, 1024] little-endian 16-bit integers, base64.
        var weights: String
        var figures: [String: Double]
    }
}
