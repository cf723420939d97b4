import HTTPTypes
import Hummingbird

/// Lets only requests through that bring a token, as `Authorization: Bearer …`.
struct BearerToken: RouterMiddleware {
    typealias Context = BasicRequestContext

    private let token: [UInt8]

    init(token: String) { self.token = Array(token.utf8) }

    @concurrent func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let header = request.headers[.authorization], isRight(header) else {
            return Response(status: .unauthorized, headers: [.wwwAuthenticate: "Bearer"])
        }
        return try await next(request, context)
    }

    /// Takes as long for a token that is nearly right as for one that is not: time tells nothing.
    private func isRight(_ header: String) -> Bool {
        let scheme = "bearer "
        guard header.prefix(scheme.count).lowercased() == scheme else { return false }
        let given = Array(header.dropFirst(scheme.count).utf8)
        guard given.count == token.count else { return false }
        return zip(given, token).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
