/// What made the values of a line: an entry of the table `provenance` in `hello` and `run.summary`.
///
/// A line names its entry by `provenance_id`.
package struct Provenance: Sendable, Hashable, Codable {
    /// What answers: `"perception"`, `"facellm"` or the name of a server's protocol.
    package let describer: String
    /// Name of the describer's model; `"FaceLLM-1B"`.
    package let model: String?
    /// Hash of its weights, 64 hexadecimal digits.
    package let modelSHA256: String?
    /// Arithmetic of the weights; `"int8"`.
    package let precision: String?
    /// Hash of the prompts in the order in which they are asked, 64 hexadecimal digits.
    package let promptSHA256: String?
    /// Name of the face detector; `"blazeface-full-range"`.
    package let detector: String?
    /// The networks of perception by what they do: `detector`, `mesh`, `expression`, `age_gender`.
    package let networks: [String: Network]?
    /// Versions by name; `{"facellm": "0.1.0", "ffmpeg": "5.1.6", "openvino": "2026.4.1"}`.
    package let versions: [String: String]

    /// A file with weights.
    package struct Network: Sendable, Hashable, Codable {
        /// Name of the network or its file; `"face_landmark.tflite"`.
        package let name: String
        /// Hash of the file, 64 hexadecimal digits.
        package let sha256: String?

        package init(name: String, sha256: String? = nil) {
            self.name = name
            self.sha256 = sha256
        }
    }

    package enum CodingKeys: String, CodingKey {
        case describer
        case model
        case modelSHA256 = "model_sha256"
        case precision
        case promptSHA256 = "prompt_sha256"
        case detector
        case networks
        case versions
    }

    package init(
        describer: String,
        model: String? = nil,
        modelSHA256: String? = nil,
        precision: String? = nil,
        promptSHA256: String? = nil,
        detector: String? = nil,
        networks: [String: Network]? = nil,
        versions: [String: String]
    ) {
        self.describer = describer
        self.model = model
        self.modelSHA256 = modelSHA256
        self.precision = precision
        self.promptSHA256 = promptSHA256
        self.detector = detector
        self.networks = networks
        self.versions = versions
    }
}
