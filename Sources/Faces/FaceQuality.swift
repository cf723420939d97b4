internal import CImaging
package import Imaging

/// How well a face can be read, in the terms of ISO/IEC 29794-5.
package struct FaceQuality: Sendable, Hashable {
    /// 0–100: the geometric mean of the parts below and of size and pose.
    package var unifiedScore: Float
    /// 0–1, from the variance of the Laplacian of the face scaled to 64 x 64; 0.5 is where detail begins to be lost.
    package var sharpness: Float
    /// 0–1: 1 for well exposed, towards 0 for dark, blown out or flat.
    package var illumination: Float
    /// Pixels.
    package var interEyeDistance: Float
    /// Share of the face's box that lies outside of the picture, 0–1.
    package var clipped: Float

    /// Good enough that classifiers are worth asking.
    package var isReadable: Bool { unifiedScore >= 20 && clipped < 0.25 }

    /// - Parameters:
    ///   - grey: the aligned face, 64 x 64 bytes' values, row-major.
    ///   - box: displayed pixels.
    package init(grey: [Float], interEyeDistance: Float, pose: HeadPose, box: Rect, frame: Size) {
        precondition(grey.count == 64 * 64, "a crop has 4096 values, not \(grey.count)")
        var sum = 0.0, squares = 0.0
        ci_laplacian_moments(grey, 64, 64, &sum, &squares)
        let n = 62.0 * 62.0
        let variance = Float(max(0, squares / n - (sum / n) * (sum / n)))
        let mean = grey.reduce(0, +) / Float(grey.count)
        let deviation = (grey.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(grey.count)).squareRoot()

        self.interEyeDistance = interEyeDistance
        clipped = box.area > 0 ? max(0, 1 - box.clipped(to: frame).area / box.area) : 1
        sharpness = variance / (variance + 120)
        // Rises from 20 to 70, falls from 190 to 240; contrast counts up to a deviation of 25.
        let exposure = min(1, max(0, (mean - 20) / 50)) * min(1, max(0, (240 - mean) / 50))
        illumination = exposure * min(1, deviation / 25)
        // 60 pixels between the eyes show all that the networks can use; below 10 little is left.
        let size = min(1, max(0, (interEyeDistance - 4) / 36))
        let frontal = max(0, 1 - pose.turn / 75)
        let parts = [sharpness, illumination, size, frontal, 1 - clipped]
        let product = parts.reduce(Float(1)) { $0 * max(0, min(1, $1)) }
        unifiedScore = product > 0 ? 100 * Geometry.exp(Geometry.log(product) / Float(parts.count)) : 0
    }
}
