package import Imaging
package struct VideoWriter: ~Copyable {
    package init(path: String, size: Size, framesPerSecond: Double?) throws {}
    package mutating func append(_ canvas: Canvas, at: Double) throws {}
    package mutating func finish() throws {}
}
