import Foundation
import TestSupport
import Testing

/// `scripts/test-aarch64` runs a C program on an emulator, which not every machine has; that it still goes with the
/// kernels' header is seen everywhere.
@Suite("The program that tests other processors' kernels")
struct CrossProgramTests {
    private static let compiler = ["clang", "cc"].first { name in
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    @Test("compiles without a warning", .enabled(if: compiler != nil, "there is neither clang nor cc in PATH"))
    func compiles() async throws {
        let compiler = try #require(Self.compiler)
        var options = RunningCommand.Options()
        options.folder = Installation.package.path
        let run = try await CommandLineRun.of(
            "/usr/bin/env",
            [
                compiler, "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-ISources/CKernels/include",
                "Tests/CKernelsTests/Cross/kernels.c",
            ],
            options
        )
        #expect(run.status == 0, "\(run.standardError)")
    }
}
