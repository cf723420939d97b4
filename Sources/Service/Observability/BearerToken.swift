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
        guard admits(request) else {
            return Response(status: .unauthorized, headers: [.wwwAuthenticate: "Bearer"])
        }
        return try await next(request, context)
    }

    /// Whether a request brings the token.
    func admits(_ request: Request) -> Bool {
        let scheme = "bearer "
        guard let header = request.headers[.authorization], header.prefix(scheme.count).lowercased() == scheme else {
            return false
        }
        return Self.areEqual(Array(header.dropFirst(scheme.count).utf8), token)
    }

    /// Takes as long for a token that is nearly right as for one that is not: time tells nothing.
    static func areEqual(_ given: [UInt8], _ wanted: [UInt8]) -> Bool {
        guard given.count == wanted.count else { return false }
        return zip(given, wanted).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
