/// Why metrics cannot be served.
package enum MetricsServerError: Error, Hashable, CustomStringConvertible {
    /// Anybody in the network could read them.
    case tokenMissing(MetricsServer.Address)
    /// Somebody answers on this Unix socket or port already.
    case addressInUse(String)
    /// Something that is no socket has this path.
    case notASocket(String)

    package var description: String {
        switch self {
        case .tokenMissing(let address):
            "metrics on \(address) need a token that is not empty, or an address that only this machine reaches"
        case .addressInUse(let address):
            "cannot serve HTTP on \(address): somebody listens there already. Stop that program, or choose another address."
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
