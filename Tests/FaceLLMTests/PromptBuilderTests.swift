import FaceLLM
import Imaging
import Testing

@Suite struct PromptBuilderTests {
    private let builder = PromptBuilder()
    private let image = "<IMG_CONTEXT>"

    private func user(_ text: String) -> String { "<|im_start|>user\n\(text)<|im_end|>\n<|im_start|>assistant\n" }

    @Test func trainedQuestions() {
        #expect(FaceQuestion.allCases.count == 9)
        #expect(
            FaceQuestion.demographics.text
                == "Describe the demographic attributes of the image based on the visual information."
        )
        #expect(
            FaceQuestion.lighting.text
                == "Describe the lighting and image quality of the image based on the visual information."
        )
        #expect(FaceQuestion.detail.text == "Describe this image.")
        #expect(FaceQuestion.release.text == "Describe the face image based on visual information.")
        #expect(FaceQuestion.allCases.filter(\.isSensitive) == [.demographics, .forensics])
        #expect(FaceQuestion.standard == [.structure, .skin, .expression, .lighting, .pose, .detail])
        #expect(FaceQuestion(rawValue: "pose") == .pose && FaceQuestion(rawValue: "race") == nil)
        #expect(Set(FaceQuestion.allCases.map(\.text)).count == 9)
    }

    @Test func oneFace() {
        let prompt = builder.prompt(builder.face("Who?"))
        #expect(prompt.text == user("\(image)\nWho?"))
        #expect(prompt.imageCount == 1)
        #expect(builder.prompt(builder.face("Who?"), answer: "The eyes").text == user("\(image)\nWho?") + "The eyes")
    }

    @Test func factsComeBeforeTheQuestion() {
        let facts = PerceptionFacts(turn: .clearly(.left), eyes: .closed)
        #expect(
            builder.prompt(builder.face("Who?", facts: facts)).text
                == user("\(image)\nMeasured: head turned to the viewer's left, eyes closed. Who?")
        )
        #expect(builder.face("Who?", facts: PerceptionFacts()) == builder.face("Who?"))
    }

    @Test(arguments: [
        (PerceptionFacts(turn: .frontal, nod: .level), "head facing the camera"),
        (PerceptionFacts(turn: .slightly(.right), nod: .up), "head turned slightly to the viewer's right, head raised"),
        (PerceptionFacts(turn: .far(.left), nod: .down), "head turned far to the viewer's left, head lowered"),
        (PerceptionFacts(tilt: .right, eyes: .mixed), "head tilted to the viewer's right, one eye closed"),
        (PerceptionFacts(eyes: .open, mouth: .wideOpen), "eyes open, mouth wide open"),
        (PerceptionFacts(mouth: .closed, others: ["", "wears glasses"]), "mouth closed, wears glasses"),
    ])
    func factsInWords(facts: PerceptionFacts, words: String) {
        #expect(facts.sentence == "Measured: \(words).")
    }

    @Test func framesAreNumbered() throws {
        let prompt = builder.prompt(try builder.frames(2, "What changes?"))
        #expect(prompt.text == user("Frame1: \(image)\nFrame2: \(image)\nWhat changes?"))
        #expect(
            try prompt.expanded(tiles: [1, 1], tokensPerTile: 1)
                == user("Frame1: <img>\(image)</img>\nFrame2: <img>\(image)</img>\nWhat changes?")
        )
        for count in [0, -1, 128] {
            #expect(throws: PromptError.imageCount(count)) { try builder.frames(count, "") }
        }
    }

    @Test func partsAreLabelled() throws {
        let prompt = builder.prompt(try builder.details([.eyes, .mouth], "Q"))
        #expect(prompt.text == user("Face: \(image)\nEyes: \(image)\nMouth: \(image)\nQ"))
        #expect(builder.prompt(try builder.details([], "Q")).text == user("Face: \(image)\nQ"))
        #expect(throws: PromptError.imageCount(128)) {
            try builder.details(Array(repeating: .eyes, count: 127), "Q")
        }
    }

    @Test func regionOfAPicture() throws {
        let box = Rect(left: 192, top: 108, width: 192, height: 216)
        let prompt = builder.prompt(try builder.region(box, in: Size(width: 1920, height: 1080), "Q"))
        #expect(prompt.text == user("\(image)\n<ref>the face</ref><box>[[100,100,200,300]]</box>\nQ"))
    }

    @Test(arguments: [
        (Rect(left: -50, top: -50, width: 2000, height: 100), [0, 0, 1000, 50]),
        (Rect(left: 999.9, top: 0, width: 0.1, height: 1000), [999, 0, 1000, 1000]),
        (Rect(left: 0, top: 500.1, width: 1, height: 0.1), [0, 500, 1, 501]),
        (Rect(left: -3e38, top: -3e38, width: 3.2e38, height: 3.2e38), [0, 0, 1000, 1000]),
    ])
    func boxesAreClamped(box: Rect, numbers: [Int]) throws {
        #expect(try PromptBuilder.boxNumbers(box, in: Size(width: 1000, height: 1000)) == numbers)
    }

    @Test(arguments: [
        Rect(left: 1000, top: 0, width: 5, height: 5), Rect(left: 0, top: -5, width: 5, height: 5),
        Rect(left: 0, top: 0, width: 0, height: 5), Rect(left: 9, top: 0, width: -4, height: 5),
        Rect(left: .nan, top: 0, width: 5, height: 5), Rect(left: 0, top: 0, width: .infinity, height: 5),
    ])
    func boxesOutsideAreRefused(box: Rect) {
        #expect(throws: PromptError.self) { try PromptBuilder.boxNumbers(box, in: Size(width: 1000, height: 1000)) }
        #expect(throws: PromptError.self) { try PromptBuilder.boxNumbers(box, in: Size(width: 0, height: 1000)) }
    }

    @Test func systemMessages() {
        let own = PromptBuilder(system: "Be brief.")
        let start = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n"
        #expect(own.prompt(own.face("Q")).text.hasPrefix(start))
        let original = PromptBuilder(template: .internVL2_5())
        #expect(original.prompt(original.face("Q")).text.contains(ChatTemplate.internVLSystem))
        let both = PromptBuilder(template: .internVL2_5(), system: "Be brief.")
        #expect(both.prompt(both.face("Q")).text.hasPrefix(start))
    }
}
