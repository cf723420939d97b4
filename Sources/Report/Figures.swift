internal import Glibc

/// Numbers as people read them.
enum Figures {
    /// At most so many decimals, none that are zero, and never an exponent.
    static func decimal(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "–" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let rounded = (value.magnitude * scale).rounded()
        guard rounded < 0x1p53 else { return "\(Int(value))" }
        let whole = Int(rounded) / Int(scale), rest = Int(rounded) % Int(scale)
        var digits = String(rest)
        digits = String(repeating: "0", count: max(0, places - digits.count)) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        let sign = value < 0 && rounded > 0 ? "-" : ""
        return sign + (rest == 0 || places == 0 ? "\(whole)" : "\(whole).\(digits)")
    }

    /// Whole numbers with thin spaces between thousands.
    static func whole(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position).isMultiple(of: 3) { text += "\u{202F}" }
            text.append(digit)
        }
        return (value < 0 ? "−" : "") + text
    }

    /// A place in a video: minutes and seconds, hours where there are any.
    static func clock(_ seconds: Double, decimals: Int = 1) -> String {
        guard seconds.isFinite, seconds.magnitude < 1e12 else { return "–" }
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let ticks = Int((seconds.magnitude * Double(scale)).rounded())
        let whole = ticks / scale
        var text =
            whole >= 3600
            ? "\(whole / 3600):\(padded(whole / 60 % 60)):\(padded(whole % 60))"
            : "\(whole / 60):\(padded(whole % 60))"
        if decimals > 0 {
            let digits = String(ticks % scale)
            text += "." + String(repeating: "0", count: decimals - digits.count) + digits
        }
        return (seconds < 0 && ticks > 0 ? "−" : "") + text
    }

    /// How long something took.
    static func duration(_ seconds: Double) -> String {
        seconds < 60 ? "\(decimal(seconds, seconds < 10 ? 1 : 0)) s" : "\(clock(seconds, decimals: 0)) min"
    }

    /// A share or a probability.
    static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "–" }
        let percent = share * 100
        return percent > 0 && percent < 1 ? "<\u{202F}1\u{202F}%" : "\(decimal(percent, 0))\u{202F}%"
    }

    static func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(whole(number)) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    static func padded(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
