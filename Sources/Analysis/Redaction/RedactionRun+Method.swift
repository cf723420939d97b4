internal import Imaging

extension RedactionRun.Method {
    /// Blocks along the longer side of a covered region: of seven the detector still took one in two for a face.
    private static let blocks = 5

    /// - Parameter rect: in pixels.
    func cover(_ rect: Rect, on canvas: inout Canvas) {
        switch self {
        case .pixelate: canvas.pixelate(rect, across: Self.blocks)
        case .fill: canvas.fill(rect, color: .black)
        }
    }

    /// By one colour.
    func coverPlainly(_ rect: Rect, on canvas: inout Canvas) {
        switch self {
        case .pixelate: canvas.pixelate(rect, across: 1)
        case .fill: canvas.fill(rect, color: .black)
        }
    }
}
