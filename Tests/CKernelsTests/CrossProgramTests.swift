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

    /// What AVX-VNNI does is what AVX-512 has in another encoding, and few machines have the former.
    @Test(
        "agrees with the kernels for AVX-VNNI, encoded for AVX-512",
        .enabled(if: compiler != nil, "there is neither clang nor cc in PATH"),
        .enabled(if: vectorUnits.contains("avx512vnni"), "this processor has no AVX-512 with VNNI")
    )
    func encodedOtherwise() async throws {
        let compiler = try #require(Self.compiler)
        let folder = try TemporaryFolder("facellm-kernels")
        let kernels = Installation.package.appending(path: "Sources/CKernels")
        let sources = try FileManager.default.contentsOfDirectory(at: kernels, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "c" }.map(\.path)
        let program = folder.path("kernels")
        let built = try await CommandLineRun.of(
            "/usr/bin/env",
            [compiler, "-O2", "-DCK_AVXVNNI_AS_AVX512VL", "-I\(kernels.path)/include", "-o", program] + sources + [
                Installation.package.appending(path: "Tests/CKernelsTests/Cross/kernels.c").path, "-lm", "-lpthread",
            ],
            .init(seconds: 300)
        )
        try #require(built.status == 0, "\(built.standardError)")
        let run = try await CommandLineRun.of(program, [], .init(seconds: 300))
        #expect(run.status == 0, "\(run.text)")
        #expect(run.text.contains(/avxvnni: [0-9]{3,} comparisons, 0 failed/), "\(run.text)")
    }
}
