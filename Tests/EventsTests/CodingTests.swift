import Events
import FoundationEssentials
import Testing

@Suite("Events as JSON")
struct CodingTests {
    let encoder = EventEncoder()
    let decoder = EventDecoder()

    @Test("the samples cover every type")
    func coverage() {
        #expect(Set(Samples.run.map(\.type)) == Set(EventType.allCases.map(\.rawValue)))
    }

    @Test("an event survives being written and read", arguments: Samples.events() + Samples.events(stable: true))
    func roundTrip(event: Event) throws {
        let line = try encoder.line(event)
        #expect(try decoder.event(line.bytes) == event)
        #expect(try encoder.line(decoder.event(line.bytes)) == line)
    }

    @Test("a line is one object of one line", arguments: try Samples.lines())
    func oneLine(line: EventLine) throws {
        #expect(line.bytes.last == UInt8(ascii: "\n"))
        #expect(line.bytes.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(line.description.hasPrefix("{\"") && line.description.hasSuffix("}"))
    }

    @Test("envelope and payload stand side by side, keys in order, slashes bare")
    func flat() throws {
        var factory = EventFactory(
            instanceID: "0123456789abcdef",
            source: "door",
            now: { Timestamp(millisecondsSince1970: 0) }
        )
        let event = factory.make(
            .error(ErrorRecord(code: "no_frames", message: "nothing / at all", retryable: true)),
            epoch: 2,
            time: EventTime(Timestamp(millisecondsSince1970: 1_772_357_400_250), source: .rtcpSenderReport)
        )
        #expect(
            try encoder.line(event).description
                == #"{"code":"no_frames","cursor":"0123456789abcdef-1","epoch":2,"instance_id":"0123456789abcdef","#
                + #""message":"nothing / at all","published_at":"1970-01-01T00:00:00.000Z","retryable":true,"#
                + #""schema":"facellm.events/1","seq":1,"source":"door","time":"2026-03-01T09:30:00.250Z","#
                + #""time_source":"rtcp_sr","type":"error"}"#
        )
    }

    @Test("keys stand in the order of their bytes, upper case first")
    func sortedKeys() throws {
        let units = ActionUnits([.au45: 1, .au01: 0.5, .au12: 5])
        let event = Event(
            envelope: Envelope(seq: 1),
            payload: .faceObservation(
                FaceObservation(
                    trackID: nil,
                    frame: Samples.bareFrame,
                    face: Samples.bareFace,
                    actionUnits: units
                )
            )
        )
        let text = try encoder.line(event).description
        #expect(text.contains(#""action_units":{"AU01_approx":0.5,"AU12_approx":5,"AU45_approx":1}"#))
        #expect(text.hasPrefix(#"{"action_units":"#))
        #expect(text.contains(#""bounding_box":{"height":0.14815,"left":0.41251,"top":-0.02,"width":0.08333}"#))
    }

    @Test("landmarks and the time base are arrays")
    func arrays() throws {
        let text = try encoder.line(
            Event(
                envelope: Envelope(),
                payload: .trackStarted(TrackChange(trackID: "t1", frame: Samples.frame, face: Samples.face))
            )
        ).description
        #expect(text.contains(#""landmarks":[[0.4512,0.27041,-0.0123],[0.5,0.5,0]]"#))
        #expect(text.contains(#""time_base":[1,12800]"#))
    }

    @Test("unknown fields and unknown names in objects are ignored")
    func unknownFields() throws {
        let line = """
            {"type":"face.observation","schema":"facellm.events/1","seq":3,"source":"a","epoch":0,"new":{"x":[1]},
            "frame":{"index":1,"media_time_s":0.5,"width_px":4,"height_px":3,"rotation_deg":0,"corrupt":false,"y":1},
            "face":{"bounding_box":{"left":0,"top":0,"width":1,"height":1},"z":null},
            "measures":{"smile":0.5,"wink":1},"action_units":{"AU12_approx":2,"AU99_approx":1},
            "expression":{"label":"sad","method":"vlm","confidence_kind":"none","scores":{"sad":1,"bored":0}},
            "attributes":{"eyes":{"value":"open","confidence_kind":"none","method":"geometry"},
            "shoes":{"value":"red","confidence_kind":"none","method":"vlm"},
            "Left Shoe":{"value":"red","confidence_kind":"none","method":"vlm"}}}
            """
        let event = try decoder.event(Array(line.utf8))
        guard case .faceObservation(let observation) = event.payload else {
            Issue.record("decoded as \(event.type)")
            return
        }
        #expect(observation.measures == Measures([.smile: 0.5]))
        #expect(observation.actionUnits == ActionUnits([.au12: 2]))
        #expect(observation.expression?.scores == [.sad: 1])
        // A user may define attributes; what is no name of one is ignored.
        #expect(observation.attributes?.keys.map(\.rawValue).sorted() == ["eyes", "shoes"])
    }

    @Test("attributes have names of lower-case words, known ones or not")
    func attributeNames() throws {
        for name in ["", "Glasses", "hair colour", "2nd", "_x", "größe", "a-b", String(repeating: "a", count: 65)] {
            #expect(AttributeName(rawValue: name) == nil, "\(name)")
        }
        for name in ["a", "looks_tired", "x2", String(repeating: "a", count: 64)] {
            #expect(AttributeName(rawValue: name)?.rawValue == name)
        }
        #expect(AttributeName.known.allSatisfy { AttributeName(rawValue: $0.rawValue) == $0 })
        #expect(Set(AttributeName.known).count == 13)
    }

    @Test("an unknown type keeps its name and envelope and is not written again")
    func unknownType() throws {
        let event = try decoder.event(Array(#"{"schema":"facellm.events/1","type":"hello","versions":{}}"#.utf8))
        #expect(event.payload == .unknown("hello"))
        #expect(event.envelope.seq == nil)
        let error = #expect(throws: EventError.self) { try encoder.line(event) }
        #expect(error?.kind == .malformed)
    }

    @Test("a line for one connection survives being written and read", arguments: Samples.connection)
    func connection(line: ConnectionLine) throws {
        let text = try encoder.line(line)
        #expect(try decoder.connectionLine(text.bytes) == line)
        #expect(try decoder.event(text.bytes).payload == .unknown(line.type))
    }

    @Test("a line of a journal is none for a connection")
    func noConnectionLine() throws {
        let line = try #require(try Samples.lines().first)
        #expect(throws: EventError.self) { try decoder.connectionLine(line.bytes) }
    }

    @Test("an error in a line names the place")
    func place() {
        let line = #"{"schema":"facellm.events/1","type":"gap","scope":"media"}"#
        let error = #expect(throws: EventError.self) { try decoder.event(Array(line.utf8)) }
        #expect(error?.description.contains("\"reason\" is missing") == true)
    }

    @Test("a line may have 64 KiB with its line break and not one byte more")
    func longLines() throws {
        func event(_ length: Int) -> Event {
            let message = String(repeating: "x", count: length)
            return Event(
                envelope: Envelope(),
                payload: .error(ErrorRecord(code: "c", message: message, retryable: false))
            )
        }
        let frame = try encoder.line(event(0)).bytes.count
        let longest = try encoder.line(event(EventLine.maximumLength - frame))
        #expect(longest.bytes.count == EventLine.maximumLength)
        #expect(try decoder.event(longest.bytes).type == "error")
        let error = #expect(throws: EventError.self) { try encoder.line(event(EventLine.maximumLength - frame + 1)) }
        #expect(error?.kind == .lineTooLong)
        #expect(throws: EventError.self) { try decoder.event(longest.bytes + [0x20]) }
    }

    @Test("468 landmarks fit into a line")
    func mesh() throws {
        let landmarks = (0..<468).compactMap {
            Landmark(x: -0.12345 - Double($0) / 1e5, y: 0.98765, z: -0.12345)
        }
        let face = FaceRecord(boundingBox: Samples.box, landmarks: landmarks)
        var factory = EventFactory(source: "door")
        let line = try encoder.line(
            factory.make(.faceObservation(FaceObservation(trackID: "t1", frame: Samples.frame, face: face)))
        )
        #expect(line.bytes.count < EventLine.maximumLength / 2)
    }

    @Test("a line of text needs an object and no line break")
    func rawLines() {
        #expect(throws: EventError.self) { try EventLine(json: []) }
        #expect(throws: EventError.self) { try EventLine(json: Array("{\n}".utf8)) }
    }
}
