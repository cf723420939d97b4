/// Which lines a subscriber wants; what is `nil` does not restrict.
package struct EventFilter: Sendable, Hashable {
    /// Names of types.
    package let types: Set<String>?
    /// Names of sources; an error that belongs to no source concerns every reader and passes.
    package let sources: Set<String>?
    /// Least `detection_confidence` of the face that a line is about, 0–1; lines without one pass.
    package let minimumConfidence: Double?

    /// Lets every line pass.
    package static let all = EventFilter()

    package init(types: Set<String>? = nil, sources: Set<String>? = nil, minimumConfidence: Double? = nil) {
        self.types = types
        self.sources = sources
        self.minimumConfidence = minimumConfidence
    }

    /// Whether a line with these facts passes.
    package func admits(type: String, source: String?, confidence: Double?) -> Bool {
        if let types, !types.contains(type) { return false }
        if let sources, let source, !sources.contains(source) { return false }
        if let minimumConfidence, let confidence, confidence < minimumConfidence { return false }
        return true
    }

    package func admits(_ event: PublishedEvent) -> Bool {
        admits(type: event.type, source: event.source, confidence: event.confidence)
    }
}
