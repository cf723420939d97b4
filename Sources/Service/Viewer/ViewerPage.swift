/// The files of the page, which are a part of the program.
enum ViewerPage {
    struct Part: Sendable {
        let path: String
        let type: String
        let bytes: [UInt8]
    }

    static let parts = [
        Part(path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.viewer_html),
        Part(path: "/viewer.css", type: "text/css; charset=utf-8", bytes: PackageResources.viewer_css),
        Part(path: "/viewer.js", type: "text/javascript; charset=utf-8", bytes: PackageResources.viewer_js),
    ]
}
