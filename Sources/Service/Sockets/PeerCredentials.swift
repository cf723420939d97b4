import Glibc
import NIOCore

/// Who is at the other end of a Unix socket, as the kernel tells it.
package struct PeerCredentials: Sendable, Hashable {
    package let processID: Int32
    package let userID: UInt32
    package let groupID: UInt32

    package init(processID: Int32, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }

    /// Asks the kernel who connected; what it answers dates from the moment of `connect`.
    static func of(_ channel: any Channel) async throws -> PeerCredentials {
        guard let socket = channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
        let peer: Answer = try await socket.unsafeGetSocketOption(
            level: .socket,
            name: .init(rawValue: SO_PEERCRED)
        ).get()
        return PeerCredentials(processID: peer.processID, userID: peer.userID, groupID: peer.groupID)
    }

    /// The layout of `struct ucred`.
    private struct Answer {
        var processID: Int32 = 0
        var userID: UInt32 = 0
        var groupID: UInt32 = 0
    }
}

/// Who may use a socket, besides what the permissions of its file allow.
///
/// Root and the daemon's own user always may.
package struct PeerPolicy: Sendable, Hashable {
    package let userIDs: Set<UInt32>
    package let groupIDs: Set<UInt32>

    /// Leaves it to the permissions of the file.
    package static let anyone = PeerPolicy(userIDs: [], groupIDs: [])

    /// - Parameters:
    ///   - userIDs: users that may.
    ///   - groupIDs: groups whose members may; with both empty everybody may.
    package init(userIDs: Set<UInt32>, groupIDs: Set<UInt32>) {
        self.userIDs = userIDs
        self.groupIDs = groupIDs
    }

    package func admits(_ peer: PeerCredentials) -> Bool {
        if userIDs.isEmpty && groupIDs.isEmpty { return true }
        if peer.userID == 0 || peer.userID == geteuid() || userIDs.contains(peer.userID) { return true }
        if groupIDs.contains(peer.groupID) { return true }
        return !groupIDs.isEmpty && !groupIDs.isDisjoint(with: Self.groups(of: peer))
    }

    /// All groups of the peer's user by the system's database; the socket itself tells only the first.
    private static func groups(of peer: PeerCredentials) -> [UInt32] {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 16_384)
        return text.withUnsafeMutableBufferPointer { text in
            guard let start = text.baseAddress,
                getpwuid_r(peer.userID, &entry, start, text.count, &found) == 0, found != nil,
                let name = entry.pw_name
            else { return [] }
            var count: Int32 = 1024
            var groups = [gid_t](repeating: 0, count: Int(count))
            guard getgrouplist(name, entry.pw_gid, &groups, &count) >= 0 else { return [] }
            return Array(groups.prefix(Int(count)))
        }
    }
}
