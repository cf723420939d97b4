import TestSupport
import Testing

/// The built program as users run it: real clips, real models, real signals.
///
/// Every run uses all cores, so one test runs at a time.
@Suite("facellm", .serialized, .needsInstallation, .timeLimit(.minutes(5)))
enum EndToEnd {}
