/// The attributes that may be published, by their names in `attributes`.
///
/// Ethnicity, health and intent are never asked for and have no name here.
package enum AttributeName: String, Sendable, Hashable, Codable, CaseIterable, CodingKeyRepresentable {
    /// `EyesState`; `"open"`.
    case eyes
    /// `MouthState`; `"closed"`.
    case mouth
    /// Where the eyes look, in words; `"at_camera"`.
    case gazeDirection = "gaze_direction"
    /// In words; `"none"`, `"eyeglasses"`, `"sunglasses"`.
    case glasses
    /// In words; `"none"`, `"beard"`.
    case facialHair = "facial_hair"
    /// In words; `"none"`, `"hat"`.
    case headwear
    /// In words; `"none"`, `"worn"`.
    case faceMask = "face_mask"
    /// In words; `"brown"`.
    case hairColor = "hair_color"
    /// In words; `"short"`.
    case hairLength = "hair_length"
    /// What covers the face, in words; `"none"`, `"hand"`.
    case occlusion
    /// In words; `"even"`, `"backlit"`.
    case lighting
    /// How old the face looks, years, 0–120: a number; `34`.
    case apparentAgeYears = "apparent_age_years"
    /// `ApparentGender`: how the face looks to the classifier, no statement on the person; `"female"`.
    case apparentGender = "apparent_gender"
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
    }

    /// Makes an attribute with a word as its value.
    package init(
        _ text: String,
        confidence: Double? = nil,
        confidenceKind: ConfidenceKind = .none,
        method: Method
    ) {
        self.init(value: .text(text), confidence: confidence, confidenceKind: confidenceKind, method: method)
    }

    /// Makes an attribute with one of the words of a vocabulary, such as `EyesState`, as its value.
    package init(
        _ word: some RawRepresentable<String>,
        confidence: Double? = nil,
        confidenceKind: ConfidenceKind = .none,
        method: Method
    ) {
        self.init(value: .text(word.rawValue), confidence: confidence, confidenceKind: confidenceKind, method: method)
    }

    /// Makes an attribute with a number, kept to one decimal, as its value; `nil` when it is not finite.
    package init?(
        _ number: Double,
        confidence: Double? = nil,
        confidenceKind: ConfidenceKind = .none,
        method: Method
    ) {
        guard let number = NumberFormat.tenths(number) else { return nil }
        self.init(value: .number(number), confidence: confidence, confidenceKind: confidenceKind, method: method)
    }

    private init(value: Value, confidence: Double?, confidenceKind: ConfidenceKind, method: Method) {
        self.value = value
        self.confidence = confidenceKind == .none ? nil : NumberFormat.probability(confidence)
        self.confidenceKind = self.confidence == nil ? .none : confidenceKind
        self.method = method
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
