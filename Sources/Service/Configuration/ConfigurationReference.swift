/// Documents of the configuration, made from the same tables that read it.
package enum ConfigurationReference {
    // MARK: - The commented file

    /// `Config/facellmd.yaml`: every key with its meaning, and its default commented out.
    ///
    /// A line that begins with `# ` after its indentation is prose; one with `#` directly before a word is a default.
    package static var template: String {
        var lines = prose(
            "Configuration of facellmd. Every key stands here with its default, commented out: remove the # in front "
                + "of a key to change it. Unknown keys are errors. `facellmd --check-config` tells what is wrong. "
                + "The command line is stronger than the environment, the environment than this file. "
                + "Units are a part of the names: _s seconds, _px pixels, _mib 2^20 bytes.",
            ""
        )
        for key in Configuration().described {
            lines += [""] + section(key, "")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Sources as people write them; a part of the template.
    package static let example = """
        - name: door
          url: rtsp://192.168.1.20:554/stream2
          sample_fps: 3
          zones:
            - [[0, 0.3], [1, 0.3], [1, 1], [0, 1]]
          schedule: [mon-fri 07:00-19:00]
        - name: yard
          url_from: credential:yard-url
          attributes: [expression]
          describe: {enabled: false}
        """

    private static func section(_ key: DescribedKey, _ indentation: String) -> [String] {
        switch key.content {
        case .value(let kind, let text):
            return prose(key.summary, indentation) + prose(sentence(kind), indentation)
                + ["\(indentation)#\(key.name): \(text)"]
        case .section(let children):
            return prose(key.summary, indentation) + ["\(indentation)\(key.name):"]
                + children.flatMap { section($0, indentation + "  ") }
        case .list(let entry, _):
            var lines = prose(key.summary, indentation) + ["\(indentation)#\(key.name): []"]
            let own = key.name == "sources" ? Array(entry.prefix(SourceSettings.ownEntries.count)) : entry
            lines += prose("An entry may have:", indentation)
            for child in own {
                guard case .value(let kind, let text) = child.content else { continue }
                let standard = text == "\"\"" ? "" : " Default: \(text)."
                lines += prose(
                    "\(child.name): \(child.summary) \(sentence(kind))\(standard)",
                    indentation,
                    hanging: true
                )
            }
            if key.name == "sources" {
                lines += prose("Example:", indentation) + ["\(indentation)# sources:"]
                lines += example.split(separator: "\n").map { "\(indentation)#   \($0)" }
            }
            return lines
        }
    }

    private static func sentence(_ kind: String) -> String { "Value: \(kind.filter { $0 != "`" })." }

    /// Comment lines of at most 100 characters.
    private static func prose(_ text: String, _ indentation: String, hanging: Bool = false) -> [String] {
        let begin = "\(indentation)# "
        var lines: [String] = []
        var line = begin + (hanging ? "  " : "")
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > 100 {
                lines.append(line)
                line = begin + (hanging ? "    " : "")
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [line]
    }

    // MARK: - The page

    /// `Documentation/configuration.md`.
    package static var markdown: String {
        var text = """
            # Configuration of facellmd

            One YAML file, `/etc/facellm/facellmd.yaml` by custom; `Config/facellmd.yaml` shows every key with its \
            default. A key that is not known, a value of the wrong kind or out of its range, a key given twice: each \
            is an error with line and column, and all are told at once. `facellmd --check-config` does nothing else.

            A value on the command line is stronger than one in the environment, and that is stronger than the file. \
            Variables are named after the path of a key: `sockets.events.path` is \
            `\(ConfigurationLoader.variable(for: "sockets.events.path"))`. Lists are written there with commas or in \
            brackets. `sources` and `sinks` stand in the file only. The folders that systemd makes \
            (`STATE_DIRECTORY`, `RUNTIME_DIRECTORY`) take the place of defaults.

            **Secrets.** A URL with a password, and a token, do not belong into this file: `url_from` and \
            `token_from` say where they are kept. `env:NAME` is a variable of the environment; `file:/PATH` a file of \
            the mode 0600 or 0400 that belongs to root or to the daemon's user; `credential:NAME` what systemd hands \
            over with `LoadCredential=NAME:/PATH`. They are never printed.

            **Takes effect**: *reload* – at once when the file is loaded again (SIGHUP); *source* – the source is \
            closed and opened again by the reload, the others go on; *daemon* – with the next start of the daemon, and \
            each reload says so: `needs a restart: KEY`. What is changed of the sockets holds for connections from then on.

            **Sources by command.** What `facellm sources add` adds begins with `source_defaults` and is kept in \
            `sources.json` in the state directory, which only the daemon's user can read. A source of this file that \
            `facellm sources remove` removes comes back when the file is read again.

            This page is made from the tables that read the file; a test keeps it up to date.

            """
        for key in Configuration().described { text += page(key, key.name) }
        text += "\n## Variables\n\nOf the environment, in place of the file's keys. An empty one counts as none.\n\n"
        text += "| key | variable |\n|---|---|\n"
        for key in Configuration.singleKeys {
            text += "| `\(key.path)` | `\(ConfigurationLoader.variable(for: key.path))` |\n"
        }
        return text
    }

    private static func page(_ key: DescribedKey, _ path: String) -> String {
        var keys: [DescribedKey]
        var isList = false
        switch key.content {
        case .value: return ""
        case .section(let children): keys = children
        case .list(let entry, _):
            keys = key.name == "sources" ? Array(entry.prefix(SourceSettings.ownEntries.count)) : entry
            isList = true
        }
        var text = "\n## `\(path)`\n\n\(key.summary)\n"
        if isList {
            text += "\nA list; each entry has these keys, and the list takes effect by *\(key.effect.rawValue)*.\n"
        }
        var rows = ""
        var sections = ""
        for child in keys {
            guard case .value(let kind, let standard) = child.content else {
                sections += page(child, "\(path).\(child.name)")
                continue
            }
            rows += "| `\(child.name)` | \(kind) | \(standard == "\"\"" ? "–" : "`\(standard)`") "
            rows += "| \(child.effect.rawValue) | \(child.summary) |\n"
        }
        if !rows.isEmpty {
            text += "\n| key | value | default | takes effect | meaning |\n|---|---|---|---|---|\n\(rows)"
        }
        if key.name == "sources" { text += "\n```yaml\nsources:\n\(indented(example))\n```\n" }
        return text + sections
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
    }
}
