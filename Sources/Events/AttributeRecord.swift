/// The name of an attribute in `attributes`: one of `known`, or one that a user defined.
///
/// Ethnicity, health and intent are never asked for and have no name here.
package struct AttributeName: RawRepresentable, Sendable, Hashable, Codable, CodingKeyRepresentable {
    /// A lower-case word of letters, digits and `_`, at most 64 of them, a letter first; `"tired_look"`.
    package let rawValue: String

    /// Nil where `rawValue` is no such word.
    package init?(rawValue: String) {
        let bytes = rawValue.utf8
        guard let first = bytes.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first), bytes.count <= 64,
            bytes.allSatisfy(Self.isAllowed)
        else { return nil }
        self.rawValue = rawValue
    }

    private init(known name: String) {
        rawValue = name
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// `EyesState`; `"open"`.
    package static let eyes = AttributeName(known: "eyes")
    /// `MouthState`; `"closed"`.
    package static let mouth = AttributeName(known: "mouth")
    /// Where the eyes look, in words; `"at_camera"`.
    package static let gazeDirection = AttributeName(known: "gaze_direction")
    /// In words; `"none"`, `"eyeglasses"`, `"sunglasses"`.
    package static let glasses = AttributeName(known: "glasses")
    /// In words; `"none"`, `"beard"`.
    package static let facialHair = AttributeName(known: "facial_hair")
    /// In words; `"none"`, `"hat"`.
    package static let headwear = AttributeName(known: "headwear")
    /// In words; `"none"`, `"worn"`.
    package static let faceMask = AttributeName(known: "face_mask")
    /// In words; `"brown"`.
    package static let hairColor = AttributeName(known: "hair_color")
    /// In words; `"short"`.
    package static let hairLength = AttributeName(known: "hair_length")
    /// What covers the face, in words; `"none"`, `"hand"`.
    package static let occlusion = AttributeName(known: "occlusion")
    /// In words; `"even"`, `"backlit"`.
    package static let lighting = AttributeName(known: "lighting")
    /// How old the face looks, years, 0–120: a number; `34`.
    package static let apparentAgeYears = AttributeName(known: "apparent_age_years")
    /// `ApparentGender`: how the face looks to the classifier, no statement on the person; `"female"`.
    package static let apparentGender = AttributeName(known: "apparent_gender")

    /// The names whose values this schema knows.
    package static let known: [AttributeName] = [
        eyes, mouth, gazeDirection, glasses, facialHair, headwear, faceMask, hairColor, hairLength, occlusion, lighting,
        apparentAgeYears, apparentGender,
    ]
}

/// The values of `eyes`.
package enum EyesState: String, Sendable, Hashable, Codable, CaseIterable {
    case open
    case closed
    /// One open, one closed.
    case mixed
}

/// The values of `mouth`.
package enum MouthState: String, Sendable, Hashable, Codable, CaseIterable {
    case closed
    case open
    case wideOpen = "wide_open"
}

/// The values of `apparent_gender`.
package enum ApparentGender: String, Sendable, Hashable, Codable, CaseIterable {
    case female
    case male
    /// The classifier does not lean either way.
    case uncertain
}

/// One attribute of a face: an entry of `attributes`.
package struct AttributeRecord: Sendable, Hashable, Codable {
    /// A lower-case word for most names, a number for `apparent_age_years`; `"open"`, `34`.
    package let value: Value
    /// Confidence in `value`, 0–1; absent when there is none; `0.8812`.
    package let confidence: Double?
    /// What kind of number `confidence` is; `"softmax"`.
    package let confidenceKind: ConfidenceKind
    /// What answered; `"geometry"`.
    package let method: Method
    /// How the answer came to differ from what was read first, one lower-case word; `"hidden_by_mask"`.
    package let note: String?

    /// What an attribute was read with.
    package enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        /// Distances in the face mesh.
        case geometry
        /// A small network.
        case classifier
        /// The multimodal language model.
        case vlm
    }

    /// A word or a number.
    package enum Value: Sendable, Hashable {
        /// Lower case, words joined by `_`; at most 64 characters.
        case text(String)
        case number(Double)
    }

    package enum CodingKeys: String, CodingKey {
        case value
        case confidence
        case confidenceKind = "confidence_kind"
        case method
        case note
    }

    /// Makes an attribute with a word as its value.
    package init(
        _ text: String,
        confidence: Double? = nil,
        confidenceKind: ConfidenceKind = .none,
        method: Method,
        note: String? = nil
    ) {
        self.init(
            value: .text(text),
            confidence: confidence,
            confidenceKind: confidenceKind,
            method: method,
            note: note
        )
    }

    /// Makes an attribute with one of the words of a vocabulary, such as `EyesState`, as its value.
    package init(
        _ word: some RawRepresentable<String>,
        confidence: Double? = nil,
        confidenceKind: ConfidenceKind = .none,
        method: Method,
        note: String? = nil
    ) {
        self.init(
            value: .text(word.rawValue),
            confidence: confidence,
            confidenceKind: confidenceKind,
            method: method,
            note: note
        )
    }

    /// Makes an attribute with a number, kept to one decimal, as its value; `nil` when it is not finite.
    package init?(
        _ number: Double,
        confidence: Double? = nil,
        confidenceKind: ConfidenceKind = .none,
        method: Method,
        note: String? = nil
    ) {
        guard let number = NumberFormat.tenths(number) else { return nil }
        self.init(
            value: .number(number),
            confidence: confidence,
            confidenceKind: confidenceKind,
            method: method,
            note: note
        )
    }

    private init(
        value: Value,
        confidence: Double?,
        confidenceKind: ConfidenceKind,
        method: Method,
        note: String?
    ) {
        self.value = value
        self.confidence = confidenceKind == .none ? nil : NumberFormat.probability(confidence)
        self.confidenceKind = self.confidence == nil ? .none : confidenceKind
        self.method = method
        self.note = note
    }
}

extension AttributeRecord.Value: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        }
    }
}
