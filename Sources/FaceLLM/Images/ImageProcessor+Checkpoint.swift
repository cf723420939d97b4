extension ImageProcessor.Configuration {
    /// The settings of a model folder: `image_processor` in `processor_config.json` as `transformers` 5 writes it, else
    /// `preprocessor_config.json`, else the defaults.
    ///
    /// `max_patches` counts only where `crop_to_patches` is true: the published FaceLLM was trained on one tile, and its
    /// files say false. What this program does not do (another interpolation, no normalisation) is an error.
    ///
    /// - Parameters:
    ///   - directory: the folder with `config.json`.
    ///   - tileSize: the side of the vision tower's tile, pixels, which the files have to agree with.
    package init(directory: String, tileSize: Int) throws(CheckpointError) {
        self.init(tileSize: tileSize)
        guard let reader = try Self.reader(directory) else { return }
        for key in ["do_resize", "do_rescale", "do_normalize"] { try reader.require(key, .bool(true)) }
        try reader.require("do_pad", .bool(false))
        // Pillow's number for bicubic.
        try reader.require("resample", .number(3))
        let scale = try reader.number("rescale_factor", in: 0...1, default: 1.0 / 255)
        guard abs(scale * 255 - 1) < 1e-6 else { throw reader.invalid("rescale_factor", expected: "1/255") }
        try Self.checkSize(reader, tileSize: tileSize)
        mean = try Self.channels(reader, "image_mean", in: -10...10) ?? mean
        // Above zero: it divides.
        deviation = try Self.channels(reader, "image_std", in: 1e-6...10) ?? deviation
        let bounds = 1...TileGrid.mostTiles
        let fewest = try reader.integer("min_patches", in: bounds, default: 1)
        let most = try reader.integer("max_patches", in: bounds, default: 12)
        guard fewest <= most else {
            throw reader.invalid("min_patches", expected: "at most max_patches (\(most))")
        }
        if try reader.bool("crop_to_patches", default: false) { (minTiles, maxTiles) = (fewest, most) }
    }

    private static func reader(_ directory: String) throws(CheckpointError) -> ConfigurationReader? {
        let limit = 1 << 20
        let newer = "\(directory)/processor_config.json"
        if MappedFile.exists(newer) {
            let whole = try ConfigurationReader(file: newer, members: JSONValue.object(at: newer, limit: limit))
            if let reader = try whole.optionalObject("image_processor") { return reader }
        }
        let older = "\(directory)/preprocessor_config.json"
        guard MappedFile.exists(older) else { return nil }
        return try ConfigurationReader(file: older, members: JSONValue.object(at: older, limit: limit))
    }

    /// `size`: one side, or an object of equal height and width.
    private static func checkSize(_ reader: ConfigurationReader, tileSize: Int) throws(CheckpointError) {
        let sides: [JSONValue?] =
            switch reader["size"] {
            case nil: []
            case .object(let members): [members["height"], members["width"]]
            case .some(let side): [side]
            }
        guard sides.allSatisfy({ $0 == .number(Double(tileSize)) }) else {
            let found = sides.map { $0?.brief ?? "nothing" }.joined(separator: " x ")
            throw reader.invalid(
                "size",
                expected: "\(tileSize) pixels, the image_size of config.json",
                found: found
            )
        }
    }

    /// Three numbers, of red, green and blue; nil where the key is absent.
    private static func channels(
        _ reader: ConfigurationReader,
        _ key: String,
        in range: ClosedRange<Float>
    ) throws(CheckpointError) -> [Float]? {
        guard let value = reader[key] else { return nil }
        let expected = "three numbers from \(range.lowerBound) to \(range.upperBound)"
        guard case .array(let elements) = value, elements.count == 3 else {
            throw reader.invalid(key, expected: expected)
        }
        var numbers: [Float] = []
        for element in elements {
            guard case .number(let number) = element, range.contains(Float(number)) else {
                throw reader.invalid(key, expected: expected, found: element.brief)
            }
            numbers.append(Float(number))
        }
        return numbers
    }
}
