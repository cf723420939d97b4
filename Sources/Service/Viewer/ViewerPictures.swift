/// What of the pictures the viewer shows: `http.viewer_pictures`.
package enum ViewerPictures: String, Sendable, Hashable, CaseIterable {
    /// As they are, masks apart.
    case clear
    /// Every face that was found is a few blocks of colour; no best shots.
    case pixelated
    /// Boxes and words alone.
    case none
}
