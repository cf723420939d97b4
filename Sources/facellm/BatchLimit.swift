import ArgumentParser
import FaceLLM

/// How many faces may be described together.
enum BatchLimit {
    static func check(_ count: Int?, _ name: String) throws {
        guard let count, !(1...Engine.mostTogether).contains(count) else { return }
        throw ValidationError("\(name) is \(count); it must be between 1 and \(Engine.mostTogether).")
    }
}
