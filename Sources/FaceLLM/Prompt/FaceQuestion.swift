/// The questions that FaceLLM was trained on, word for word, and the one that its published script asks.
///
/// Other wordings are outside of what the model knows and get worse answers.
package enum FaceQuestion: String, Sendable, Hashable, CaseIterable {
    case demographics, structure, skin, expression, lighting, pose, forensics, detail
    /// The default of the published script; close to the trained wording, but not one of the eight.
    case release

    package var text: String {
        switch self {
        case .demographics: Self.describe("demographic attributes")
        case .structure: Self.describe("facial structure")
        case .skin: Self.describe("skin texture")
        case .expression: Self.describe("expression and emotion")
        case .lighting: Self.describe("lighting and image quality")
        case .pose: Self.describe("face pose")
        case .forensics: Self.describe("forensic considerations")
        case .detail: "Describe this image."
        case .release: "Describe the face image based on visual information."
        }
    }

    /// Whether the answer is an inference about the person that small models get about as wrong as chance would.
    ///
    /// Sensitive questions are asked only when they are named.
    package var isSensitive: Bool { self == .demographics || self == .forensics }

    /// The trained questions that may be asked without being named.
    package static let standard = allCases.filter { !$0.isSensitive && $0 != .release }

    private static func describe(_ attribute: String) -> String {
        "Describe the \(attribute) of the image based on the visual information."
    }
}
