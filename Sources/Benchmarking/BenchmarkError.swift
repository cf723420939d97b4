/// Why something could not be measured.
package struct BenchmarkError: Error, Hashable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case measureLimits = "measuring the machine's limits"
        case runCommand = "running a command"
        case loadEngine = "loading the engine"
    }

    package let operation: Operation
    package let reason: String
    /// `errno`, or 0 where no system call failed.
    package let code: Int32

    package init(_ operation: Operation, _ reason: String, code: Int32 = 0) {
        self.operation = operation
        self.reason = reason
        self.code = code
    }

    package var description: String {
        code == 0 ? "\(operation.rawValue): \(reason)" : "\(operation.rawValue): \(reason) (errno \(code))"
    }
}
