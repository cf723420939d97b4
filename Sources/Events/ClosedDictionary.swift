/// Reads a JSON object whose keys are the cases of an enumeration and ignores the keys that are not.
///
/// Later versions may add names, so an unknown one is no error.
func decodeKnownKeys<Key, Value>(
    _ values: [String: Value]
) -> [Key: Value] where Key: RawRepresentable<String> & Hashable {
    var known: [Key: Value] = [:]
    for (name, value) in values {
        guard let key = Key(rawValue: name) else { continue }
        known[key] = value
    }
    return known
}

extension KeyedDecodingContainer {
    /// Reads an optional object whose keys are the cases of an enumeration; see `decodeKnownKeys(_:)`.
    func decodeKnownKeysIfPresent<Name, Value: Decodable>(
        forKey key: Key
    ) throws -> [Name: Value]? where Name: RawRepresentable<String> & Hashable {
        try decodeIfPresent([String: Value].self, forKey: key).map(decodeKnownKeys)
    }
}
