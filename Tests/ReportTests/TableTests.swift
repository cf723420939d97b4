import Events
import Foundation
import TestSupport
import Testing

@testable import Report

@Suite("Tables")
struct TableTests {
    @Test("fields with commas, quotes and line breaks are quoted; nothing is an empty field")
    func quoting() {
        let row = CSV.row([.text("a,\"b\"\nc"), .none, .text(""), .number(0.5), .number(3), .whole(-1), .text("plain")])
        #expect(row == "\"a,\"\"b\"\"\nc\",,\"\",0.5,3,-1,plain\r\n")
    }

    @Test(
        "what a spreadsheet would take for a formula is a text",
        arguments: [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("@SUM(1)", "'@SUM(1)"), ("+1", "'+1"), ("-door", "'-door"),
            (" =1", "' =1"), ("\t=1", "\"'\t=1\""), ("\r\n=1", "\"'\r\n=1\""), ("\u{FF1D}1", "'\u{FF1D}1"),
            ("\u{A0}=1", "'\u{A0}=1"), ("\u{0}=1", "\"\u{FFFD}=1\""), ("a=1", "a=1"), ("'=1", "'=1"),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
        ]
    )
    func formula(text: String, field: String) {
        #expect(CSV.row([.text(text), .number(-1)]) == field + ",-1\r\n")
    }

    @Test("control characters and other line breaks neither move a cursor nor end a row")
    func controls() {
        #expect(CSV.row([.text("a\u{1B}[31mb\u{9B}1mc\u{7}")]) == "\"a\u{FFFD}[31mb\u{FFFD}1mc\u{FFFD}\"\r\n")
        #expect(CSV.row([.text("a\u{2028}b"), .text("c")]) == "\"a\u{2028}b\",c\r\n")
    }

    @Test("a row for each observation, a field for each column")
    func observations() throws {
        var lines = Lines()
        try lines.addFace("t12", at: [0, 0.5], observes: true)
        let columns = ObservationTable.header.split(separator: "\r\n")[0].split(separator: ",")
        let rows = lines.events.compactMap(ObservationTable.row)
        #expect(rows.count == 2)
        let fields = rows[1].dropLast().split(separator: ",", omittingEmptySubsequences: false)
        #expect(fields.count == columns.count && Set(columns).count == columns.count)
        let row = Dictionary(uniqueKeysWithValues: zip(columns, fields))
        #expect(row["frame"] == "15" && row["timestamp"] == "0.5" && row["success"] == "1")
        #expect(row["face_id"] == "12" && row["track_id"] == "t12")
        #expect(row["FaceRectX"] == "320" && row["FaceRectY"] == "90" && row["FaceRectHeight"] == "144")
        #expect(row["happiness"] == "0.75" && row["anger"] == "" && row["expression"] == "happy")
        #expect(row["AU12_r"] == "2.5" && row["AU01_r"] == "" && row["smile"] == "0.05")
    }

    @Test("a row for each track, with columns for attributes that users defined")
    func tracks() throws {
        var lines = Lines()
        let own = try #require(AttributeName(rawValue: "looks_tired"))
        try lines.addFace("t1", at: [0, 2], attributes: [own: AttributeRecord("no", method: .vlm)])
        try lines.addFace("t2", at: [1, 4], label: .sad)
        let rows = TrackTable.rows(lines.story).map {
            $0.dropLast().split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.count == 3 && Set(rows.map(\.count)).count == 1)
        let first = Dictionary(uniqueKeysWithValues: zip(rows[0], rows[1]))
        #expect(first["looks_tired"] == "no" && first["looks_tired_method"] == "vlm" && first["duration"] == "2")
        #expect(first["happiness_share"] == "1" && first["sadness_share"] == "0")
        let second = Dictionary(uniqueKeysWithValues: zip(rows[0], rows[2]))
        #expect(second["looks_tired"] == "" && second["dominant_expression"] == "sad")
    }

    /// Only with both a pose to take apart and the rotation put together again can a wrong sign or order show.
    @Test(
        "OpenFace's angles are the same rotation",
        arguments: [(0.0, 0.0, 0.0), (30, 0, 0), (0, 20, 0), (0, 0, 15), (40, -25, 10), (-60, 35, -30)]
    )
    func rotation(yaw: Double, pitch: Double, roll: Double) throws {
        let pose = try #require(PoseRecord(yawDegrees: yaw, pitchDegrees: pitch, rollDegrees: roll))
        let angles = HeadRotation(pose)
        let degree = Double.pi / 180
        let ours = product(product(ry(-yaw * degree), rx(-pitch * degree)), rz(roll * degree))
        let theirs = product(product(rx(angles.rx), ry(angles.ry)), rz(angles.rz))
        for (a, b) in zip(ours, theirs) { #expect(abs(a - b) < 1e-9) }
        // A head that turns to the right edge alone has Ry < 0, one that looks up alone has Rx < 0.
        if pitch == 0, roll == 0 { #expect(abs(angles.ry + yaw * degree) < 1e-9 && abs(angles.rx) < 1e-9) }
        if yaw == 0, roll == 0 { #expect(abs(angles.rx + pitch * degree) < 1e-9 && abs(angles.ry) < 1e-9) }
        if yaw == 0, pitch == 0 { #expect(abs(angles.rz - roll * degree) < 1e-9) }
    }

    private func rx(_ a: Double) -> [Double] { [1, 0, 0, 0, cos(a), -sin(a), 0, sin(a), cos(a)] }
    private func ry(_ a: Double) -> [Double] { [cos(a), 0, sin(a), 0, 1, 0, -sin(a), 0, cos(a)] }
    private func rz(_ a: Double) -> [Double] { [cos(a), -sin(a), 0, sin(a), cos(a), 0, 0, 0, 1] }
    private func product(_ a: [Double], _ b: [Double]) -> [Double] {
        var result: [Double] = []
        for row in 0..<3 {
            for column in 0..<3 {
                var sum = 0.0
                for index in 0..<3 { sum += a[3 * row + index] * b[3 * index + column] }
                result.append(sum)
            }
        }
        return result
    }

    /// A Python that has pandas; nil where there is none.
    private static func python() async -> String? {
        for path in ["/usr/bin/python3", "/usr/local/bin/python3", "python3"] {
            let run = try? await CommandLineRun.of(path, ["-c", "import pandas"])
            if run?.status == 0 { return path }
        }
        return nil
    }

    @Test("pandas reads both tables with the types that the documentation states")
    func pandas() async throws {
        guard let python = await Self.python() else {
            try Test.cancel("no python3 with pandas (scripts/setup --tests)")
        }
        var lines = Lines(source: "odd, \"name\"\n=1+1\u{2028}<b>")
        let own = try #require(AttributeName(rawValue: "mood"))
        try lines.addFace(
            "t1",
            at: [0, 0.5, 1],
            text: "He said: \"no\",\nand left.",
            attributes: [own: AttributeRecord("=cmd|' /C calc'!A0", method: .vlm)],
            observes: true
        )
        lines.add(.faceObservation(try Lines.observation(nil, at: 1.5)))
        let folder = try TemporaryFolder()
        let tracks = try folder.file("tracks.csv", TrackTable.rows(lines.story).joined())
        let observations = try folder.file(
            "observations.csv",
            ([ObservationTable.header] + lines.events.compactMap(ObservationTable.row)).joined()
        )
        let documentation = Installation.package.appending(path: "Documentation/report.md")
        let text = try String(contentsOf: documentation, encoding: .utf8)
        // The very code that the documentation tells readers to use.
        let code = try #require(
            text.components(separatedBy: "```python\n").dropFirst().first?.components(separatedBy: "```").first
        )
        let script = """
            import sys
            \(code.replacingOccurrences(of: "party-tracks.csv", with: tracks)
                .replacingOccurrences(of: "party-observations.csv", with: observations))
            assert len(tracks) == 1 and len(observations) == 4, (len(tracks), len(observations))
            assert tracks.source[0] == 'odd, "name"\\n=1+1\\u2028<b>', repr(tracks.source[0])
            assert tracks.description[0] == 'He said: "no",\\nand left.', repr(tracks.description[0])
            assert tracks.mood[0] == "'=cmd|' /C calc'!A0", repr(tracks.mood[0])
            assert str(observations.dtypes["frame"]) == "int64" and str(observations.dtypes["face_id"]) == "Int64"
            for name in ["timestamp", "confidence", "pose_Rx", "happiness", "anger", "AU12_r", "AU01_r"]:
                assert str(observations.dtypes[name]) == "float64", (name, observations.dtypes[name])
            assert list(observations.face_id.isna()) == [False, False, False, True]
            assert abs(observations.pose_Rz[0]) < 0.3 and observations.pose_Ry[0] < 0 and observations.pose_Rx[0] < 0
            """
        let run = try await CommandLineRun.of(python, ["-c", script])
        #expect(run.status == 0, "\(run.standardError)")
    }
}
