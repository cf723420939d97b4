internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// Answers of the viewer, with what keeps other sites out of them.
enum ViewerAnswer {
    /// Nothing from elsewhere, nothing inline, in nobody's frame.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    static func headers(_ type: String) -> HTTPFields {
        [
            .contentType: type,
            .cacheControl: "no-store",
            .contentSecurityPolicy: policy,
            .xContentTypeOptions: "nosniff",
            .referrerPolicy: "no-referrer",
            .resourcePolicy: "same-origin",
        ]
    }

    static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: headers(type),
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    static func text(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
        bytes(Array(text.utf8), type: type, status: status)
    }

    /// There is nothing to show yet, or nothing new; no error, which browsers would complain about.
    static var nothing: Response {
        var headers = Self.headers("text/plain")
        headers[.contentType] = nil
        return Response(status: .noContent, headers: headers)
    }

    static func refused(_ words: String, status: HTTPResponse.Status = .badRequest) -> Response {
        text(words + "\n", type: "text/plain; charset=utf-8", status: status)
    }
}
