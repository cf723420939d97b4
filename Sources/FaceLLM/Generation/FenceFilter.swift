/// Takes the fence off an answer that the model has put into a block of code (three or more ` or ~).
///
/// The opening line goes with its language; the closing fence ends the answer. An answer that begins otherwise passes
/// unchanged.
struct FenceFilter: Sendable {
    private enum State {
        /// Nothing but spaces, or the beginning of what may be a fence, in `held`.
        case start
        case plain
        case fenced(Unicode.Scalar, count: Int)
        case closed
    }

    private var state = State.start
    /// What may be part of a fence.
    private var held: [Unicode.Scalar] = []

    /// Whether the closing fence has come; nothing passes from there on.
    var isClosed: Bool { if case .closed = state { true } else { false } }

    mutating func append(_ scalar: Unicode.Scalar, to text: inout [Unicode.Scalar]) {
        switch state {
        case .start: appendAtStart(scalar, to: &text)
        case .plain: text.append(scalar)
        case .closed: break
        case .fenced(let mark, let count):
            if scalar != mark { release(to: &text) }
            if scalar != mark { return text.append(scalar) }
            held.append(scalar)
            if held.count == count {
                held = []
                state = .closed
            }
        }
    }

    private mutating func appendAtStart(_ scalar: Unicode.Scalar, to text: inout [Unicode.Scalar]) {
        guard let mark = held.first else {
            if scalar == "`" || scalar == "~" {
                held.append(scalar)
            } else if !scalar.properties.isWhitespace {
                state = .plain
                text.append(scalar)
            }
            return
        }
        let count = held.prefix { $0 == mark }.count
        if scalar == mark, count == held.count { return held.append(scalar) }
        if count < 3 {
            state = .plain
            release(to: &text)
            text.append(scalar)
        } else if scalar == "\n" {
            held = []
            state = .fenced(mark, count: count)
        } else if scalar == " " && held.count == count {
            // Between the fence and its language.
        } else if scalar.properties.isAlphabetic || scalar == "+" || scalar == "-" {
            held.append(scalar)
        } else {
            // No language but text on the fence's own line.
            held.removeFirst(count)
            state = .fenced(mark, count: count)
            release(to: &text)
            append(scalar, to: &text)
        }
    }

    /// Lets go of what has turned out not to be a fence; a fence without text after it is dropped.
    mutating func finish(_ text: inout [Unicode.Scalar]) {
        switch state {
        case .start: if held.count < 3 { release(to: &text) }
        case .fenced: release(to: &text)
        case .plain, .closed: break
        }
        held = []
    }

    private mutating func release(to text: inout [Unicode.Scalar]) {
        text += held
        held.removeAll(keepingCapacity: true)
    }
}
