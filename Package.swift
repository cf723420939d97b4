// swift-tools-version: 6.2
import PackageDescription

/// Where `scripts/setup` put OpenVINO and the models; `. scripts/environment` exports it.
let prefix = Context.environment["FACELLM_PREFIX"] ?? "/usr/local"

/// What every Swift target is compiled with.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Beside NIO the compiler takes `stat` and `timespec` for CDispatch's and does not find their members any more.
let serviceSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// OpenVINO lies in a folder of its own, so the binaries carry its path.
let findOpenVINO: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "\(prefix)/lib/openvino-2026.4.1"])
]

/// The parts of the viewer's page.
let viewerScripts = [
    "common", "connection", "events", "faces", "machine", "pictures", "sources", "timeline", "viewer",
]

let package = Package(
    name: "facellm",
    products: [
        .executable(name: "facellm", targets: ["facellm"]),
        .executable(name: "facellmd", targets: ["facellmd"]),
        .executable(name: "facellm-bench", targets: ["facellm-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries
        .systemLibrary(name: "CFFmpeg", pkgConfig: "libavformat"),
        .systemLibrary(name: "COpenVINO", pkgConfig: "facellm-openvino"),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas"),
        // Unoptimised kernels and pixel loops would make debug tests a hundred times slower.
        .target(
            name: "CImaging",
            cSettings: [
                .unsafeFlags(["-O3"]),
                .define("FACELLM_PREFIX", to: "\"\(prefix)\""),
            ]
        ),
        .target(
            name: "CKernels",
            cSettings: [.unsafeFlags(["-O3"])],
            linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]
        ),

        // Unoptimised, it would measure the compiler.
        .target(name: "CMachine", cSettings: [.unsafeFlags(["-O3"])]),

        // The stages, in the order of the data flow
        .target(name: "Imaging", dependencies: ["CImaging", "CFFmpeg"], swiftSettings: swiftSettings),
        .target(name: "Video", dependencies: ["Imaging", "CFFmpeg"], swiftSettings: swiftSettings),
        .target(
            name: "Faces",
            dependencies: ["Imaging", "COpenVINO", "CImaging", "CFFmpeg"],
            resources: [
                .embedInCode("Parameters/face-template.json"), .embedInCode("Parameters/expression-head.json"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(name: "FaceLLM", dependencies: ["Imaging", "CKernels"], swiftSettings: swiftSettings),
        .target(name: "Events", swiftSettings: swiftSettings),
        .target(name: "Report", dependencies: ["Events"], swiftSettings: swiftSettings),
        .target(
            name: "Journal",
            dependencies: ["Events", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Analysis",
            dependencies: [
                "Video", "Faces", "FaceLLM", "Events", "Imaging", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        // What runs for weeks around the stages
        .target(
            name: "Service",
            dependencies: [
                "Analysis", "Events", "FaceLLM", "Faces", "Imaging", "Journal", "Video",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [
                .embedInCode("Viewer/Page/viewer.html"), .embedInCode("Viewer/Page/viewer.css"),
            ] + viewerScripts.map { .embedInCode("Viewer/Page/\($0).js") },
            swiftSettings: serviceSettings
        ),

        // What the programs have in common
        .target(name: "Console", dependencies: ["Analysis"], swiftSettings: swiftSettings),

        // What `facellm-bench` measures with
        .target(name: "Benchmarking", dependencies: ["CMachine", "FaceLLM"], swiftSettings: swiftSettings),

        // Programs
        .executableTarget(
            name: "facellm",
            dependencies: [
                "Analysis", "CFFmpeg", "Console", "Events", "FaceLLM", "Faces", "Imaging", "Report", "Service", "Video",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: findOpenVINO
        ),
        .executableTarget(
            name: "facellmd",
            dependencies: [
                "Analysis", "Console", "Events", "Service", "Video",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: findOpenVINO
        ),
        .executableTarget(
            name: "facellm-bench",
            dependencies: [
                "Analysis", "Benchmarking", "Console", "COpenBLAS", "Events", "FaceLLM", "Faces", "Imaging", "Journal",
                "Service",
                "Video",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: findOpenVINO
        ),

        // What several test targets need: folders, clips, child processes, servers that play
        .target(
            name: "TestSupport",
            path: "Tests/TestSupport",
            exclude: ["Browser", "Servers"],
            swiftSettings: swiftSettings
        ),

        // Tests mirror the targets.
        .testTarget(
            name: "CKernelsTests",
            dependencies: ["CKernels", "TestSupport"],
            exclude: ["Cross"],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging", "TestSupport"], swiftSettings: swiftSettings),
        .testTarget(
            name: "VideoTests",
            dependencies: ["TestSupport", "Video"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "FacesTests",
            dependencies: ["Faces", "TestSupport"],
            swiftSettings: swiftSettings,
            linkerSettings: findOpenVINO
        ),
        // Takes the place of the allocator's functions in the test program.
        .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
        .testTarget(
            name: "FaceLLMTests",
            dependencies: ["FaceLLM", "Imaging", "CFFmpeg", "CAllocationCount", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BenchmarkingTests",
            dependencies: ["Benchmarking", "CMachine", "FaceLLM"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EventsTests",
            dependencies: ["Events", "TestSupport", .product(name: "Yams", package: "Yams")],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "JournalTests",
            dependencies: ["Events", "Journal", "TestSupport", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "AnalysisTests",
            dependencies: ["Analysis", "FaceLLM", "TestSupport", .product(name: "Logging", package: "swift-log")],
            swiftSettings: swiftSettings,
            linkerSettings: findOpenVINO
        ),
        .testTarget(
            name: "ServiceTests",
            dependencies: [
                "Events", "FaceLLM", "Imaging", "Service", "TestSupport", "Video",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Observability/fake-daemon.py"],
            swiftSettings: serviceSettings,
            linkerSettings: findOpenVINO
        ),
        .testTarget(
            name: "ReportTests",
            dependencies: ["Events", "Imaging", "Report", "TestSupport"],
            exclude: ["Browser"],
            swiftSettings: swiftSettings
        ),
        // `facellmd` is there so that it is built before its tests run it.
        .testTarget(
            name: "SupervisionTests",
            dependencies: [
                "Analysis", "Events", "FaceLLM", "Faces", "Imaging", "Journal", "Service", "TestSupport", "Video",
                "facellm", "facellmd",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Viewer/fake-daemon.py", "Viewer/page.py", "Viewer/live.py"],
            swiftSettings: serviceSettings,
            linkerSettings: findOpenVINO
        ),
        // The programs are there so that they are built before their tests run them.
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Events", "Service", "TestSupport", "facellm", "facellmd",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: findOpenVINO
        ),
    ]
)
