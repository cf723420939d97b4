/// Why metrics cannot be served.
package enum MetricsServerError: Error, Hashable, CustomStringConvertible {
    /// Anybody in the network could read them.
    case tokenMissing(MetricsServer.Address)
    /// Somebody answers on this Unix socket already.
    case addressInUse(String)
    /// Something that is no socket has this path.
    case notASocket(String)

    package var description: String {
        switch self {
        case .tokenMissing(let address):
            "metrics on \(address) need a token that is not empty, or an address that only this machine reaches"
        case .addressInUse(let path):
            "somebody serves metrics on \(path) already: stop that daemon, or choose another path"
        case .notASocket(let path):
            "\(path) exists and is no socket: remove it, or choose another path"
        }
    }
}

extension MetricsServer.Address: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tcp(let host, let port): "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
