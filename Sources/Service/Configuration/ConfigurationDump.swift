extension LoadedConfiguration {
    /// Every value with its origin behind it, as YAML that reads back; secrets are redacted.
    package var effective: String {
        var lines: [String] = []
        dump(configuration.described, path: "", indentation: "", &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a check says of a file that is in order.
    package var summary: String {
        let sources = configuration.sources
        let off = sources.count { !$0.watch.enabled }
        var lines = ["\(file.isEmpty ? "without a file" : file): in order"]
        lines.append(
            "sources: \(sources.count)" + (off > 0 ? ", \(off) of them not enabled" : "")
                + (sources.isEmpty ? " (nothing will be watched)" : "")
        )
        for source in sources {
            let place = source.address?.description ?? source.urlFrom?.text ?? ""
            lines.append("  \(source.name): \(place)\(source.watch.enabled ? "" : " (not enabled)")")
        }
        lines.append(
            "described by: \(configuration.engine.modelDirectory ?? "nothing (engine.model_directory is none)")"
        )
        lines += warnings.map { "warning: \($0.text(file: file))" }
        return lines.joined(separator: "\n") + "\n"
    }

    private func dump(_ keys: [DescribedKey], path: String, indentation: String, _ lines: inout [String]) {
        for key in keys {
            let place = path + key.name
            switch key.content {
            case .value(_, let text): lines.append("\(indentation)\(key.name): \(text)  # \(origin(place))")
            case .section(let children):
                lines.append("\(indentation)\(key.name):")
                dump(children, path: "\(place).", indentation: indentation + "  ", &lines)
            case .list(_, let items):
                lines.append("\(indentation)\(key.name):\(items.isEmpty ? " []  # \(origin(place))" : "")")
                for (index, item) in items.enumerated() {
                    var entry: [String] = []
                    dump(item, path: "\(place)[\(index)].", indentation: "    ", &entry)
                    if let first = entry.first { entry[0] = "  - " + first.dropFirst(4) }
                    lines += entry.map { indentation + $0 }
                }
            }
        }
    }

    private func origin(_ path: String) -> String {
        if let origin = origins[path] { return origin.text }
        // What a source leaves unsaid comes from the common settings.
        guard path.hasPrefix("sources["), let end = path.firstIndex(of: "]"),
            let common = origins["source_defaults" + path[path.index(after: end)...]]
        else { return Origin.standard.text }
        return "source_defaults, \(common.text)"
    }
}
