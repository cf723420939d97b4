import Glibc

/// Where the daemon's sockets are, unless somebody says otherwise.
package enum SocketFolder {
    package static let eventsName = "events.sock"
    package static let controlName = "control.sock"

    /// The folders in which they may be, the first choice first: systemd's for a service, the user's, the system's.
    package static func candidates(environment: [String: String]) -> [String] {
        var folders: [String] = []
        // systemd gives several separated by colons when a unit has several.
        if let folder = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first { folders.append(String(folder)) }
        if let base = environment["XDG_RUNTIME_DIR"], !base.isEmpty { folders.append(base + "/facellm") }
        return folders + ["/run/facellm"]
    }

    /// The first path at which a socket is; the first choice when there is none.
    ///
    /// A folder that may not be looked into counts as one with a socket: connecting tells what is wrong.
    package static func find(_ name: String, environment: [String: String]) -> String {
        let paths = candidates(environment: environment).map { "\($0)/\(name)" }
        return paths.first { path in
            var status = stat()
            return stat(path, &status) == 0 || errno == EACCES
        } ?? paths[0]
    }
}
