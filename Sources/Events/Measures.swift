/// What geometry reads off the face mesh: `measures`, name → number.
///
/// A closed set of names; a measure that is absent was not taken. All are ratios of lengths on the face itself, so
/// they do not depend on its size in the frame. Left and right are the person's own.
package struct Measures: Sendable, Hashable, Codable {
    /// The names that may stand in `measures`.
    package enum Name: String, Sendable, Hashable, Codable, CaseIterable, CodingKeyRepresentable {
        /// Height of the opening of the left eye by its width, −10…10, 0 closed; `0.31204`.
        case eyeOpennessLeft = "eye_openness_left"
        /// Height of the opening of the right eye by its width, −10…10, 0 closed; `0.30877`.
        case eyeOpennessRight = "eye_openness_right"
        /// Distance between the inner edges of the lips by the inner width of the mouth, −10…10, 0 closed; `0.0412`.
        case mouthOpenness = "mouth_openness"
        /// Width of the mouth by the distance between the outer corners of the eyes, −10…10; `0.6123`.
        case mouthWidthRatio = "mouth_width_ratio"
        /// Height of the brows above the eyes' corners by the distance between those, −10…10; `0.2241`.
        case browRaise = "brow_raise"
        /// How much lower than usual the inner ends of the brows are, −10…10, larger is more; `0.0132`.
        case browFurrow = "brow_furrow"
        /// How much higher than the middle of the lips the corners of the mouth are, −10…10; `0.0571`.
        case smile
    }

    /// The values by name, rounded to 5 decimals, all finite.
    package private(set) var values: [Name: Double]

    /// Whether nothing was measured.
    package var isEmpty: Bool { values.isEmpty }

    /// Rounds the values and leaves out those that are not finite.
    package init(_ values: [Name: Double] = [:]) {
        self.values = NumberFormat.ratio(values)
    }

    /// A measure; setting one that is not finite removes it.
    package subscript(_ name: Name) -> Double? {
        get { values[name] }
        set { values[name] = NumberFormat.ratio(newValue) }
    }

    package init(from decoder: any Decoder) throws {
        self.init(decodeKnownKeys(try decoder.singleValueContainer().decode([String: Double].self)))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}

/// Action units of the Facial Action Coding System, guessed from the mesh: `action_units`, name → intensity.
///
/// Intensities are approximations from geometry, not the judgement of a trained coder, and the names say so. The
/// scale is that of the coding system, 0 (absent) to 5 (maximum); an absent unit was not measured.
package struct ActionUnits: Sendable, Hashable, Codable {
    /// The units that may stand in `action_units`; example of an entry: `"AU12_approx": 2.41`.
    package enum Name: String, Sendable, Hashable, Codable, CaseIterable, CodingKeyRepresentable {
        /// Inner brow raiser.
        case au01 = "AU01_approx"
        /// Outer brow raiser.
        case au02 = "AU02_approx"
        /// Brow lowerer.
        case au04 = "AU04_approx"
        /// Upper lid raiser.
        case au05 = "AU05_approx"
        /// Cheek raiser.
        case au06 = "AU06_approx"
        /// Lid tightener.
        case au07 = "AU07_approx"
        /// Nose wrinkler.
        case au09 = "AU09_approx"
        /// Upper lip raiser.
        case au10 = "AU10_approx"
        /// Lip corner puller.
        case au12 = "AU12_approx"
        /// Dimpler.
        case au14 = "AU14_approx"
        /// Lip corner depressor.
        case au15 = "AU15_approx"
        /// Chin raiser.
        case au17 = "AU17_approx"
        /// Lip pucker.
        case au18 = "AU18_approx"
        /// Lip stretcher.
        case au20 = "AU20_approx"
        /// Lip tightener.
        case au23 = "AU23_approx"
        /// Lip pressor.
        case au24 = "AU24_approx"
        /// Lips part.
        case au25 = "AU25_approx"
        /// Jaw drop.
        case au26 = "AU26_approx"
        /// Mouth stretch.
        case au27 = "AU27_approx"
        /// Lip suck.
        case au28 = "AU28_approx"
        /// Eyes closed.
        case au43 = "AU43_approx"
        /// Blink.
        case au45 = "AU45_approx"
    }

    /// The intensities by name, 0–5, rounded to 2 decimals.
    package private(set) var values: [Name: Double]

    /// Whether nothing was measured.
    package var isEmpty: Bool { values.isEmpty }

    /// Rounds the intensities, keeps them within 0…5 and leaves out those that are not finite.
    package init(_ values: [Name: Double] = [:]) {
        self.values = values.compactMapValues(Self.intensity)
    }

    /// An intensity; setting one that is not finite removes it.
    package subscript(_ name: Name) -> Double? {
        get { values[name] }
        set { values[name] = newValue.flatMap(Self.intensity) }
    }

    package init(from decoder: any Decoder) throws {
        self.init(decodeKnownKeys(try decoder.singleValueContainer().decode([String: Double].self)))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }

    private static func intensity(_ value: Double) -> Double? {
        NumberFormat.hundredths(value).map { min(max($0, 0), 5) }
    }
}
