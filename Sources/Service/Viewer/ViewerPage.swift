/// The files of the page, which are a part of the program.
enum ViewerPage {
    struct Part: Sendable {
        let path: String
        let type: String
        let bytes: [UInt8]
    }

    static let parts =
        [
            Part(path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.viewer_html),
            Part(path: "/viewer.css", type: "text/css; charset=utf-8", bytes: PackageResources.viewer_css),
        ]
        + [
            ("common", PackageResources.common_js), ("connection", PackageResources.connection_js),
            ("events", PackageResources.events_js), ("faces", PackageResources.faces_js),
            ("machine", PackageResources.machine_js), ("pictures", PackageResources.pictures_js),
            ("sources", PackageResources.sources_js), ("timeline", PackageResources.timeline_js),
            ("viewer", PackageResources.viewer_js),
        ].map { name, bytes in
            Part(path: "/\(name).js", type: "text/javascript; charset=utf-8", bytes: bytes)
        }
}
