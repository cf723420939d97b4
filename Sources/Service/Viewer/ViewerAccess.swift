internal import HTTPTypes
internal import Hummingbird
internal import Imaging

/// Who may see the viewer, and from where.
///
/// With a token, a request brings it as `Authorization: Bearer …`, or a cookie that `/?token=…` gave: a browser cannot
/// send the header when it opens a page. The cookie is made from the token and does not tell it.
///
/// Without one, only this machine can reach the address; but a page of any other site, open in a browser on this
/// machine, could have its own name point to it. So the name that the request asks for must be one of this machine's.
struct ViewerAccess: RouterMiddleware {
    typealias Context = BasicRequestContext

    static let cookieName = "facellm_viewer"
    /// Seconds: 30 days.
    private static let cookieLifetime = 30 * 86_400

    private let bearer: BearerToken?
    private let token: [UInt8]
    private let cookie: [UInt8]
    private let checksHost: Bool

    init(token: String?, address: MetricsServer.Address) {
        bearer = token.map { BearerToken(token: $0) }
        self.token = Array((token ?? "").utf8)
        cookie = Array(Self.cookie(for: token ?? "").utf8)
        checksHost =
            switch address {
            case .tcp: token == nil
            case .unix: false
            }
    }

    @concurrent func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        if checksHost, !Self.isThisMachine(request.head.authority) {
            return Self.refusal(.misdirectedRequest, "This address answers to the names of this machine only.\n")
        }
        // What another site's page asks for, its user did not.
        if let site = request.headers[.secFetchSite], site != "same-origin", site != "none",
            request.uri.path.hasPrefix("/api/")
        {
            return Self.refusal(.forbidden, "Only the viewer's own page may ask for this.\n")
        }
        guard bearer != nil else { return try await next(request, context) }
        if bearer?.admits(request) == true || hasCookie(request) { return try await next(request, context) }
        if request.uri.path == "/", let given = request.uri.queryParameters["token"],
            BearerToken.areEqual(Array(String(given).utf8), token)
        {
            var response = Response(status: .seeOther, headers: [.location: "/", .cacheControl: "no-store"])
            let value = String(decoding: cookie, as: UTF8.self)
            response.headers[.setCookie] =
                "\(Self.cookieName)=\(value); Path=/; Max-Age=\(Self.cookieLifetime); HttpOnly; SameSite=Strict"
            return response
        }
        var response = Self.refusal(.unauthorized, "A token is needed: open /?token=TOKEN once.\n")
        response.headers[.wwwAuthenticate] = "Bearer"
        return response
    }

    private static func cookie(for token: String) -> String {
        let hash = SHA256()
        hash.update("facellm viewer\n\(token)".utf8)
        return hash.finish()
    }

    private func hasCookie(_ request: Request) -> Bool {
        request.headers[values: .cookie].contains { header in
            header.split(separator: ";").contains { pair in
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == Self.cookieName else { return false }
                return BearerToken.areEqual(Array(parts[1].utf8), cookie)
            }
        }
    }

    /// `localhost`, `127.…` or `[::1]`, with or without a port.
    static func isThisMachine(_ authority: String?) -> Bool {
        guard let authority else { return false }
        var host = authority.lowercased()[...]
        if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
            guard host[colon...].dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) else { return false }
            host = host[..<colon]
        }
        return host == "[::1]" || MetricsServer.Address.tcp(host: String(host), port: 0).isLocal && host != "::1"
    }

    private static func refusal(_ status: HTTPResponse.Status, _ words: String) -> Response {
        ViewerAnswer.text(words, type: "text/plain; charset=utf-8", status: status)
    }
}

extension HTTPField.Name {
    static let secFetchSite = Self.known("Sec-Fetch-Site")
    static let lastEventID = Self.known("Last-Event-ID")
    static let referrerPolicy = Self.known("Referrer-Policy")
    static let resourcePolicy = Self.known("Cross-Origin-Resource-Policy")
    static let accelBuffering = Self.known("X-Accel-Buffering")
    /// The number of a picture.
    static let picture = Self.known("X-Facellm-Picture")
    /// The faces in a picture.
    static let faces = Self.known("X-Facellm-Faces")
    /// The place behind the last line of a history.
    static let cursor = Self.known("X-Facellm-Cursor")
    /// Whether older lines of a history were left out.
    static let truncated = Self.known("X-Facellm-Truncated")

    private static func known(_ text: String) -> Self {
        guard let name = Self(text) else { preconditionFailure("\(text) is no name of a header") }
        return name
    }
}
