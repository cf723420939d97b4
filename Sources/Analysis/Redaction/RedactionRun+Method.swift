internal import Imaging

extension RedactionRun.Method {
    /// - Parameter cover: in pixels.
    func apply(_ cover: RedactionCover, to canvas: inout Canvas) {
        switch (self, cover.block) {
        case (.fill, _): canvas.fill(cover.region, color: .black)
        case (.pixelate, let block?): canvas.pixelate(cover.region, block: max(2, Int(min(block, 1e5).rounded())))
        case (.pixelate, nil): canvas.flatten(cover.region)
        }
    }
}
