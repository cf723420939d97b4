internal import FaceLLM

extension Configuration.Engine {
    static let entries: [ConfigurationEntry<Self>] = [
        .value(
            "model_directory",
            \.modelDirectory,
            OptionalFormat(TextFormat.absolutePath),
            "The folder of a FaceLLM or InternVL3 checkpoint. Without it faces are measured and not described."
        ),
        .value(
            "adapters",
            \.adapters,
            ListFormat(TextFormat.absolutePath, limit: 16),
            "Folders of LoRA adapters, merged in this order."
        ),
        .value(
            "threads",
            \.threads,
            OptionalFormat(IntegerFormat(range: 1...1024), none: "auto"),
            "Threads that compute; auto is one a core."
        ),
        .value(
            "vision_precision",
            \.visionPrecision,
            WordFormat(),
            "Of the vision tower's weights, where most of the time goes: less is faster and less exact. "
                + "f32 is the reference, int8 three times as fast."
        ),
        .value(
            "text_precision",
            \.textPrecision,
            WordFormat(),
            "Of the language model's weights, likewise."
        ),
        .value(
            "cache_directory",
            \.cacheDirectory,
            OptionalFormat(TextFormat.absolutePath, none: "auto"),
            "Where weights of int8 and int4 are kept for the next start; auto is the usual place for caches."
        ),
        .value(
            "queue_capacity",
            \.queueCapacity,
            IntegerFormat(range: 1...10_000),
            effect: .reload,
            "Faces that may wait. With more, faces never described go first, and the least telling are dropped."
        ),
        .value(
            "timeout_s",
            \.timeoutSeconds,
            NumberFormat(range: 1...3600),
            effect: .reload,
            "How long one face may take."
        ),
        .value(
            "crop_lifetime_s",
            \.cropLifetimeSeconds,
            NumberFormat(range: 0.1...3600),
            effect: .reload,
            "A face of a live source that waited longer tells nothing about now, and is dropped."
        ),
        .value(
            "refresh_interval_s",
            \.refreshIntervalSeconds,
            NumberFormat(range: 1...86_400),
            effect: .reload,
            "A face that does not change is described anew after this."
        ),
        .value(
            "change_spacing_s",
            \.changeSpacingSeconds,
            NumberFormat(range: 0...3600),
            effect: .reload,
            "Least time between two descriptions of a face that changes."
        ),
        .value(
            "patience_s",
            \.patienceSeconds,
            NumberFormat(range: 0...60),
            effect: .reload,
            "How long to wait for a good picture of a face before the best so far must do."
        ),
        .value(
            "question",
            \.question,
            OptionalFormat(QuestionFormat()),
            "What the sentence answers. Answers to trained questions are better than to texts of one's own; "
                + "demographics and forensics are guesses about the person. none leaves the sentence out."
        ),
        .value(
            "fields",
            \.fields,
            ListFormat(TextFormat.name, limit: 64),
            "What is answered by a choice with a probability: built-in fields and those of user_fields. "
                + "Each costs a moment for every face."
        ),
        .value(
            "user_fields",
            \.userFields,
            UserFieldsFormat(),
            "Fields of your own: the model chooses the likeliest of the options as the end of the stem. "
                + "Name them in fields too. Try them on known faces first."
        ),
    ]
}
