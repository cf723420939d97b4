/// A copy that was made and cannot be handed out.
package enum RedactionFailure: Error, Hashable, CustomStringConvertible {
    /// - Parameter first: seconds.
    case facesLeft(frames: Int, of: Int, first: Double, passes: Int)
    case copyUnreadable(String)
    case framesMissing(Int, of: Int)

    /// One line, with the remedy where there is one.
    package var description: String {
        switch self {
        case .facesLeft(let frames, let all, let first, let passes):
            let tenths = Int((max(0, min(first, 1e9)) * 10).rounded())
            return
                "after \(passes) attempts the detector still takes something for a face in \(frames) of \(all) frames of "
                + "the copy, first at \(tenths / 10).\(tenths % 10) s; no copy was kept: try --method fill or a larger --margin"
        case .copyUnreadable(let reason):
            return "the copy cannot be read, so nobody knows whether faces are left in it; it was not kept: \(reason)"
        case .framesMissing(let read, let written):
            return "the copy has \(read) frames of \(written); it was not kept"
        }
    }
}
