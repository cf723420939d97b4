extension FieldCatalogue {
    /// The fields that every installation has.
    ///
    /// Stems and phrases are as short as English allows, since each token costs time for every face, and within a
    /// field of much the same length. None asks for ethnicity, health, intent or identity.
    package static let builtIn = FieldCatalogue(checked: [
        // The vocabulary facellm.expression/1.
        Field(
            "expression",
            stem: "The facial expression is",
            options: ["neutral", "happy", "sad", "surprised", "fearful", "disgusted", "angry", "contemptuous"]
        ),
        Field("eyes", stem: "The eyes are", options: ["open", "closed", Field.Option("mixed", "winking")]),
        Field("mouth", stem: "The mouth is", options: ["closed", "open", "wide_open"]),
        Field(
            "gaze_direction",
            stem: "The eyes look",
            options: [Field.Option("at_camera", "forward"), "left", "right", "up", "down"]
        ),
        Field(
            "glasses",
            stem: "The eyewear is",
            options: [Field.Option("none", "absent"), Field.Option("eyeglasses", "glasses"), "sunglasses"]
        ),
        Field(
            "facial_hair",
            stem: "The facial hair is",
            options: [
                Field.Option("none", "absent"), "stubble", Field.Option("mustache", "a mustache"),
                Field.Option("beard", "a beard"),
            ]
        ),
        Field(
            "headwear",
            stem: "The headwear is",
            options: [
                Field.Option("none", "absent"), Field.Option("hat", "a hat"), Field.Option("cap", "a cap"),
                Field.Option("hood", "a hood"), Field.Option("helmet", "a helmet"),
                Field.Option("headscarf", "a scarf"),
            ]
        ),
        Field("face_mask", stem: "The face mask is", options: [Field.Option("none", "absent"), "worn"]),
        // The same stem for both, so that the second costs no more than its phrases.
        Field(
            "hair_color",
            stem: "The hair is",
            options: ["black", "brown", "blond", "red", "gray", "white", "dyed"]
        ),
        Field(
            "hair_length",
            stem: "The hair is",
            options: [Field.Option("bald", "absent"), "short", "medium", "long"]
        ),
        Field(
            "occlusion",
            stem: "The face is covered by",
            options: [
                Field.Option("none", "nothing"), Field.Option("hand", "a hand"), "hair",
                Field.Option("object", "an object"),
            ]
        ),
        Field("lighting", stem: "The lighting is", options: ["even", "bright", "dim", "harsh", "backlit"]),
    ])

    /// Names of answers that other stages publish; a field of that name would stand for two things.
    static let reservedNames: Set<String> = ["apparent_age_years", "apparent_gender"]

    /// Built-in fields whose values are a published vocabulary: a replacement may leave values out, not add any.
    static let closedVocabularies: Set<String> = ["expression", "eyes", "mouth"]
}
