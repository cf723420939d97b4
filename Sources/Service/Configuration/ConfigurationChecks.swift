internal import FaceLLM

/// What no single key can know: whether the values go together, and what the references to secrets lead to.
struct ConfigurationChecks {
    /// Nil where secrets are not fetched.
    let store: SecretStore?

    func check(_ configuration: inout Configuration, _ reading: inout ConfigurationReading) {
        for index in configuration.sources.indices {
            check(&configuration.sources[index], "sources[\(index)]", &reading)
        }
        checkNames(configuration.sources, &reading)
        check(configuration.sourceDefaults, "source_defaults", &reading)
        if let reference = configuration.http.tokenFrom, let store {
            do {
                configuration.http.token = try store.read(reference)
            } catch {
                reading.refuse("http.token_from", error.description)
            }
        }
        if let listen = configuration.http.listen, !listen.isLocal, configuration.http.tokenFrom == nil {
            reading.refuse("http.listen", "others can reach this address: it needs http.token_from")
        }
        checkSinks(configuration, &reading)
        checkOutputs(configuration, &reading)
        checkFields(configuration.engine, &reading)
    }

    // MARK: - Sources

    private func check(_ source: inout SourceSettings, _ path: String, _ reading: inout ConfigurationReading) {
        if source.name.isEmpty, reading.origins["\(path).name"] == nil {
            reading.refuse(path, "the source has no name; add \"name: …\"")
        }
        let isGiven = (
            reading.origins["\(path).url"] != nil, reading.origins["\(path).url_from"] != nil
        )
        switch isGiven {
        case (false, false): reading.refuse(path, "the source has neither url nor url_from")
        case (true, true) where source.url != nil && source.urlFrom != nil:
            reading.refuse("\(path).url_from", "the source has a url already; remove one of the two")
        case (true, _) where source.url != nil: source.address = source.url
        case (_, true):
            guard let reference = source.urlFrom, let store else { break }
            do {
                source.address = try SourceAddress(store.read(reference).reveal())
            } catch {
                reading.refuse("\(path).url_from", error.description)
            }
        default: break
        }
        check(source.watch, path, &reading)
    }

    private func check(_ watch: WatchSettings, _ path: String, _ reading: inout ConfigurationReading) {
        // What is inherited is told once, where it stands.
        func isOwn(_ keys: String...) -> Bool { keys.contains { reading.origins["\(path).\($0)"] != nil } }
        if watch.landmarks, !watch.observations, isOwn("landmarks", "observations") {
            reading.refuse("\(path).landmarks", "landmarks are a part of observations; set observations: true")
        }
        let limits = watch.limits
        if limits.reconnectFirstSeconds > limits.reconnectLongestSeconds,
            isOwn("limits.reconnect_first_s", "limits.reconnect_longest_s")
        {
            reading.refuse("\(path).limits.reconnect_first_s", "longer than reconnect_longest_s")
        }
    }

    private func checkNames(_ sources: [SourceSettings], _ reading: inout ConfigurationReading) {
        var first: [String: Int] = [:]
        for (index, source) in sources.enumerated() where !source.name.isEmpty {
            guard let known = first[source.name] else {
                first[source.name] = index
                continue
            }
            let line =
                if case .file(let line, _) = reading.origin("sources[\(known)].name") { " in line \(line)" } else { "" }
            reading.refuse("sources[\(index)].name", "another source\(line) is called \(source.name) too")
        }
    }

    // MARK: - Outputs

    private func checkSinks(_ configuration: Configuration, _ reading: inout ConfigurationReading) {
        let names = configuration.sources.map(\.name)
        for (index, sink) in configuration.sinks.enumerated() {
            let path = "sinks[\(index)]"
            if sink.kind == .jsonl && sink.path == nil && reading.origins["\(path).path"] == nil {
                reading.refuse(path, "a jsonl needs a path")
            }
            if sink.kind == .stdout && sink.path != nil { reading.refuse("\(path).path", "stdout has no path") }
            for name in sink.sources where !names.contains(name) {
                let hint = EditDistance.nearest(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
                reading.refuse("\(path).sources", "no source is called \(printable(name))\(hint)")
            }
        }
    }

    /// No two things may write to one place, and none to what is read.
    private func checkOutputs(_ configuration: Configuration, _ reading: inout ConfigurationReading) {
        var outputs: [(path: String, place: String)] = []
        let sockets = [
            ("sockets.events.path", configuration.runtimePath(configuration.sockets.events.access.path)),
            ("sockets.control.path", configuration.runtimePath(configuration.sockets.control.access.path)),
        ]
        outputs += sockets.map { ($0.0, $0.1) }
        if case .unix(let path) = configuration.http.listen { outputs.append(("http.listen", path)) }
        // A socket's address holds 108 bytes with the final zero.
        for (path, place) in outputs where place.utf8.count > 107 {
            reading.refuse(path, "the path of a socket has at most 107 bytes, this one \(place.utf8.count)")
        }
        if configuration.journal.enabled {
            outputs.append(("journal.path", configuration.statePath(configuration.journal.path)))
        }
        for (index, sink) in configuration.sinks.enumerated() {
            switch sink.kind {
            case .stdout: outputs.append(("sinks[\(index)].kind", "standard output"))
            case .jsonl: sink.path.map { outputs.append(("sinks[\(index)].path", configuration.statePath($0))) }
            }
        }
        let inputs = configuration.sources.enumerated().compactMap { index, source in
            source.url.map { (path: "sources[\(index)].url", place: $0.description) }
        }
        for (index, output) in outputs.enumerated() {
            let place = Self.normal(output.place)
            let others = outputs[..<index] + inputs.filter { $0.place.hasPrefix("/") }
            if let other = others.first(where: { Self.normal($0.place) == place }) {
                reading.refuse(output.path, "\(printable(output.place)) is used by \(other.path) already")
            }
        }
    }

    /// Without `.`, `..` and double slashes, so that equal places look equal.
    private static func normal(_ path: String) -> [Substring] {
        path.split(separator: "/").reduce(into: []) { parts, part in
            if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(part) }
        }
    }

    // MARK: - Fields

    private func checkFields(_ engine: Configuration.Engine, _ reading: inout ConfigurationReading) {
        // Errors in the definitions are told already; then the names mean nothing.
        guard let catalogue = try? FieldCatalogue(engine.userFields),
            !reading.problems.contains(where: { $0.path.hasPrefix("engine.user_fields") })
        else { return }
        let names = catalogue.fields.map(\.name)
        for name in engine.fields where !names.contains(name) {
            let hint =
                EditDistance.nearest(to: name, among: names).map { "did you mean \($0)?" }
                ?? "there are \(names.joined(separator: ", "))"
            reading.refuse("engine.fields", "no field is called \(printable(name)); \(hint)")
        }
        do {
            _ = try catalogue.selecting(Set(engine.fields).intersection(names))
        } catch {
            reading.refuse("engine.fields", error.description)
        }
        for definition in engine.userFields where !engine.fields.contains(definition.name) {
            reading.refuse(
                "engine.user_fields",
                "\(definition.name) is defined and not asked; name it in engine.fields"
            )
        }
    }
}

extension ConfigurationReading {
    /// Where a value stands, or what it would stand in.
    func origin(_ path: String) -> Origin {
        var path = path[...]
        while true {
            if let origin = origins[String(path)] { return origin }
            guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return .standard }
            path = path[..<cut]
        }
    }

    mutating func refuse(_ path: String, _ message: String) {
        problems.append(ConfigurationProblem(origin(path), path, message))
    }
}
