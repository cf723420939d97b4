internal import Glibc

/// A configuration and where each of its values comes from.
package struct LoadedConfiguration: Sendable, Hashable {
    /// The name of the file, for messages; empty without one.
    package let file: String
    package let configuration: Configuration
    /// Of every value that was given, by path: `sockets.events.path`, `sources[0].name`.
    package let origins: [String: Origin]

    /// What works and is better done in another way.
    package var warnings: [ConfigurationProblem] {
        configuration.sources.enumerated().compactMap { index, source in
            guard let url = source.url, url.hasSecret, let origin = origins["sources[\(index)].url"] else { return nil }
            let message = "the URL has credentials or a query that everybody sees who may read this file; use url_from"
            return ConfigurationProblem(origin, "sources[\(index)].url", message)
        }
    }
}

/// Puts a configuration together: command line before environment before file before systemd's folders before default.
package struct ConfigurationLoader: Sendable {
    /// Of the process.
    package var environment: [String: String]
    /// Values from the command line by the paths of their keys: `["daemon.log_level": "debug"]`.
    package var flags: [String: String] = [:]
    /// Whether secrets are fetched; a check on another machine can do without.
    package var fetchesSecrets = true

    package init(environment: [String: String]) { self.environment = environment }

    /// - Parameter path: nil for no file at all.
    package func load(file path: String?) throws(ConfigurationError) -> LoadedConfiguration {
        guard let path else { return try load(bytes: [], file: "") }
        do {
            return try load(bytes: Self.read(path), file: path)
        } catch let error as ValueError {
            throw ConfigurationError(file: path, problems: [.init(.standard, "", error.description)])
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(file: path, problems: [.init(.standard, "", "cannot be read")])
        }
    }

    /// - Parameters:
    ///   - bytes: the content of the file.
    ///   - file: its name, for messages.
    package func load(bytes: [UInt8], file: String) throws(ConfigurationError) -> LoadedConfiguration {
        var root = ConfigurationNode.empty(.file(line: 1, column: 1))
        do {
            if let node = try ConfigurationYAML.parse(bytes) { root = node }
        } catch {
            throw ConfigurationError(file: file, problems: [error])
        }
        var configuration = Configuration()
        var reading = ConfigurationReading()
        override(&root, &reading)
        reading.mapping(root, "", Configuration.entries, into: &configuration)
        ConfigurationChecks(store: fetchesSecrets ? SecretStore(environment: environment) : nil)
            .check(&configuration, &reading)
        guard reading.problems.isEmpty else { throw ConfigurationError(file: file, problems: reading.problems) }
        return LoadedConfiguration(file: file, configuration: configuration, origins: reading.origins)
    }

    /// A source that stands in no file, checked as those of the file are.
    ///
    /// - Parameters:
    ///   - text: a JSON object with the keys of an entry of `sources`.
    ///   - defaults: what holds where it does not say otherwise.
    package func source(
        JSONText text: String,
        defaults: WatchSettings
    ) throws(ConfigurationError) -> SourceSettings {
        let name = "request"
        var configuration = Configuration()
        configuration.sourceDefaults = defaults
        var reading = ConfigurationReading()
        do {
            // JSON is YAML.
            let root = try ConfigurationYAML.parse(Array("{\"sources\": [\(text)]}".utf8))
            reading.mapping(root ?? .empty(.standard), "", Configuration.entries, into: &configuration)
        } catch {
            throw ConfigurationError(file: name, problems: [error])
        }
        ConfigurationChecks(store: fetchesSecrets ? SecretStore(environment: environment) : nil)
            .check(&configuration, &reading)
        if reading.problems.isEmpty, configuration.sources.count != 1 {
            reading.problems.append(.init(.standard, "", "one source was expected"))
        }
        guard reading.problems.isEmpty, let source = configuration.sources.first else {
            throw ConfigurationError(file: name, problems: reading.problems)
        }
        return source
    }

    // MARK: - What is stronger than the file, or weaker

    /// The variable for a key: `sockets.events.path` is `FACELLM_SOCKETS_EVENTS_PATH`.
    package static func variable(for path: String) -> String {
        "FACELLM_" + path.uppercased().split(separator: ".").joined(separator: "_")
    }

    private func override(_ root: inout ConfigurationNode, _ reading: inout ConfigurationReading) {
        let keys = Configuration.singleKeys
        for key in keys {
            let steps = key.path.split(separator: ".").map(String.init)[...]
            if let name = key.described.systemVariable, let value = environment[name], root[steps] == nil {
                // systemd separates several folders by colons; ours is the first.
                let first = value.split(separator: ":").first.map(String.init) ?? ""
                put(first, .system(name), key, steps, into: &root, &reading)
            }
            let name = Self.variable(for: key.path)
            if let value = environment[name] { put(value, .environment(name), key, steps, into: &root, &reading) }
            if let value = flags[key.path] { put(value, .flag(key.path), key, steps, into: &root, &reading) }
        }
        let paths = keys.map(\.path)
        for path in flags.keys.sorted() where !paths.contains(path) {
            let hint = EditDistance.nearest(to: path, among: paths).map { "; did you mean \($0)?" } ?? ""
            reading.problems.append(.init(.flag(printable(path)), "", "there is no such key\(hint)"))
        }
        // Other programs of this package have variables too; these begin like a section.
        let sections = Set(paths.compactMap { $0.split(separator: ".").first }).map {
            Self.variable(for: "\($0)") + "_"
        }
        let names = paths.map(Self.variable)
        for name in environment.keys.sorted() where sections.contains(where: name.hasPrefix) && !names.contains(name) {
            let hint =
                EditDistance.nearest(to: name.lowercased(), among: names.map { $0.lowercased() })
                .map { "; did you mean \($0.uppercased())?" } ?? ""
            reading.problems.append(.init(.environment(printable(name)), "", "no key has this variable\(hint)"))
        }
    }

    private func put(
        _ text: String,
        _ origin: Origin,
        _ key: Configuration.SingleKey,
        _ steps: ArraySlice<String>,
        into root: inout ConfigurationNode,
        _ reading: inout ConfigurationReading
    ) {
        guard !text.isEmpty else { return }
        var node = ConfigurationNode(content: .scalar(text, isQuoted: false), origin: origin)
        if text.hasPrefix("["), case .value(let kind, _) = key.described.content, kind.hasPrefix("list ") {
            do {
                if let list = try ConfigurationYAML.parse(Array(text.utf8)) { node = list.moved(to: origin) }
            } catch {
                reading.problems.append(.init(origin, key.path, error.message))
                return
            }
        }
        root.put(node, at: steps)
    }

    // MARK: - The file

    private static func read(_ path: String) throws(ValueError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw ValueError(description: "cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ValueError(description: "is not a regular file")
        }
        var bytes: [UInt8] = []
        // One byte more than allowed tells that there are more.
        while bytes.count <= ConfigurationYAML.longest {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let got = Glibc.read(descriptor, &chunk, chunk.count)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else {
                throw ValueError(description: "cannot be read: \(String(cString: strerror(errno)))")
            }
            if got == 0 { break }
            bytes += chunk[..<got]
        }
        return bytes
    }
}

extension ConfigurationNode {
    /// The same with all places replaced.
    fileprivate func moved(to origin: Origin) -> ConfigurationNode {
        switch content {
        case .scalar: ConfigurationNode(content: content, origin: origin)
        case .list(let items):
            ConfigurationNode(content: .list(items.map { $0.moved(to: origin) }), origin: origin)
        case .mapping(let pairs):
            ConfigurationNode(
                content: .mapping(
                    pairs.map { .init(name: $0.name, origin: origin, value: $0.value.moved(to: origin)) }
                ),
                origin: origin
            )
        }
    }
}

extension Configuration {
    /// A key outside of lists.
    struct SingleKey: Sendable {
        let path: String
        let described: DescribedKey
    }

    /// All keys outside of lists, with the defaults: what environment and command line can set.
    static let singleKeys: [SingleKey] = {
        func keys(_ described: [DescribedKey], _ prefix: String) -> [SingleKey] {
            described.flatMap { key -> [SingleKey] in
                switch key.content {
                case .value: [SingleKey(path: prefix + key.name, described: key)]
                case .section(let children): keys(children, "\(prefix)\(key.name).")
                case .list: []
                }
            }
        }
        return keys(Configuration().described, "")
    }()

    /// The keys with this configuration's values.
    package var described: [DescribedKey] { Self.entries.map { $0.describe(self) } }
}
