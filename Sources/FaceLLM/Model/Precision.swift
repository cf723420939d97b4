/// How the weights of matrices are held and multiplied; norms, softmax and residuals are f32 in any case.
package enum WeightPrecision: String, Sendable, Hashable, CaseIterable {
    /// As they are stored, multiplied in f32: the reference.
    case f32
    /// Rounded to bfloat16 where they are stored as f32, multiplied in f32.
    case bf16
    /// 8 bits and a scale for each row, multiplied in integers by activations of 8 bits and a scale for each token.
    case int8
    /// 4 bits and a scale for each 32 weights of a row, multiplied likewise.
    case int4

    var isQuantised: Bool { self == .int8 || self == .int4 }
}

/// The precision of a model's two halves.
package struct ModelPrecision: Sendable, Hashable, CustomStringConvertible {
    package var vision: WeightPrecision
    package var text: WeightPrecision

    package init(vision: WeightPrecision, text: WeightPrecision) {
        self.vision = vision
        self.text = text
    }

    package static let reference = ModelPrecision(vision: .f32, text: .f32)

    /// The output head loses most by 4 bits and is read once for a token: it keeps 8.
    var head: WeightPrecision { text == .int4 ? .int8 : text }

    package var isQuantised: Bool { vision.isQuantised || text.isQuantised }

    /// "int8", or "int8 vision, int4 text" where the halves differ.
    package var description: String {
        vision == text ? vision.rawValue : "\(vision.rawValue) vision, \(text.rawValue) text"
    }
}
