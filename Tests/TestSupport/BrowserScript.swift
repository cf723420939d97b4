package import Foundation
package import Testing

/// A Python program that drives a page in a headless Chromium and says what is wrong with it.
///
/// It imports `browser` and `checks` from `Browser/`; its status is 0 when nothing is wrong.
package enum BrowserScript {
    private static let folder = Installation.package.appending(path: "Tests/TestSupport/Browser")

    /// - Parameter path: of the program, below the package.
    /// - Returns: what it printed.
    @discardableResult
    package static func run(
        _ path: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        seconds: Double,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        var options = RunningCommand.Options()
        options.seconds = seconds
        options.environment = environment ?? ProcessInfo.processInfo.environment
        options.environment?["PYTHONDONTWRITEBYTECODE"] = "1"
        options.environment?["PYTHONPATH"] = folder.path
        let python = try #require(Server.python)
        let script = Installation.package.appending(path: path).path
        let run = try await CommandLineRun.of(python, [script] + arguments, options)
        #expect(run.ending == .exited(0), "\(run.text)\(run.standardError)", sourceLocation: sourceLocation)
        return run.text
    }
}

extension Trait where Self == ConditionTrait {
    /// Pages are looked at with Debian's Chromium, or another one of the names it goes by.
    package static var needsChromium: Self {
        let names = ["chromium", "chromium-browser", "google-chrome"]
        return .enabled(
            if: Server.python != nil && names.contains { Installation.executable($0) != nil },
            "python3 or chromium is not installed (scripts/setup --tests): no browser to test pages with"
        )
    }
}
