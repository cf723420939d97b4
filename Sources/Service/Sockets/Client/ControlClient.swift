import Events

/// Asks the daemon for something over its control socket.
package struct ControlClient: Sendable {
    package let path: String
    /// How long an answer may take.
    package let timeout: Duration

    /// More than any answer has, bytes.
    private static let maximumLength = 8 << 20

    package init(path: String, timeout: Duration = .seconds(60)) {
        self.path = path
        self.timeout = timeout
    }

    /// Sends one request and waits for its answer.
    ///
    /// - Parameters:
    ///   - op: what to do; `"sources.remove"`.
    ///   - fields: the other fields of the request.
    /// - Returns: the `result` of the answer.
    /// - Throws: `SocketError`; `refused` with the daemon's own words when it answered that it did not.
    package func ask(_ op: String, _ fields: [String: JSONValue] = [:]) async throws -> JSONValue {
        let line = JSONValue.object(fields.merging(["op": .string(op), "request_id": .number(1)]) { $1 }).description
        guard line.utf8.count <= ControlServer.maximumLength else {
            throw SocketError(.ask, .malformed, path: path, detail: "the request is too long")
        }
        return try await withThrowingTaskGroup(of: JSONValue?.self) { group in
            group.addTask { try await converse(line) }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() ?? nil else {
                throw SocketError(.ask, .timedOut, path: path, detail: "no answer within \(timeout)")
            }
            return answer
        }
    }

    private func converse(_ line: String) async throws -> JSONValue {
        try await SocketClient(path: path, maximumLength: Self.maximumLength).connected { conversation in
            do {
                try await conversation.send(line)
            } catch let error as SocketError where error.kind == .disconnected {
                // Who is sent away finds the reason in what can still be read.
            }
            guard let text = try await conversation.next() else {
                throw SocketError(.ask, .disconnected, path: path, detail: "it closed the connection without an answer")
            }
            let answer: JSONValue
            do throws(JSONValue.Malformed) {
                answer = try JSONValue(text: text)
            } catch {
                throw SocketError(.ask, .malformed, path: path, detail: "its answer is no JSON: \(error.detail)")
            }
            if answer["ok"] == .bool(true), let result = answer["result"] { return result }
            guard case .string(let message) = answer["error"]?["message"] else {
                throw SocketError(.ask, .malformed, path: path, detail: "its answer has neither a result nor an error")
            }
            let code: String = if case .string(let code) = answer["error"]?["code"] { "\(code): " } else { "" }
            throw SocketError(.ask, .refused, path: path, detail: code + message)
        }
    }
}
