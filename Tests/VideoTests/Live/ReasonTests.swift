import Foundation
import TestSupport
import Testing
import Video

@Suite("Reasons of live sources")
struct ReasonTests {
    @Test("the page on troubles has a remedy for each", arguments: LiveReason.allCases)
    func remedy(_ reason: LiveReason) throws {
        let page = try String(
            contentsOf: Installation.package.appending(path: "Documentation/troubleshooting.md"),
            encoding: .utf8
        )
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.contains { ($0.split(separator: "|").first ?? "").contains("`\(reason.rawValue)`") })
    }
}
