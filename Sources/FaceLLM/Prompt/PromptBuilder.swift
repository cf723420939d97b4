package import Imaging

/// The conversations that the model is asked with.
///
/// Questions, facts and system messages are put in as text from outside: no `<|im_end|>` in them ends a turn. Only the
/// words and tokens written here are markup.
package struct PromptBuilder: Sendable, Hashable {
    package let template: ChatTemplate
    /// Nil for none, as in the published script; `ChatTemplate.internVL2_5` then puts in InternVL's own.
    package let system: String?

    package init(template: ChatTemplate = .huggingFace, system: String? = nil) {
        self.template = template
        self.system = system
    }

    /// The prompt for messages that this builder made.
    ///
    /// - Parameter answer: how the answer begins.
    package func prompt(_ messages: [ChatMessage], answer: String = "") -> ChatPrompt {
        template.prompt(messages, answer: answer)
    }

    /// One image of a face.
    package func face(_ question: String, facts: PerceptionFacts? = nil) -> [ChatMessage] {
        conversation([.image], question, facts)
    }

    /// Several images of one face in the order of time, numbered from 1 as in InternVL's training on video.
    ///
    /// One tile per frame is meant; FaceLLM itself was trained on single images only.
    package func frames(
        _ count: Int,
        _ question: String,
        facts: PerceptionFacts? = nil
    ) throws(PromptError) -> [ChatMessage] {
        guard (1...PromptError.mostImages).contains(count) else { throw .imageCount(count) }
        return conversation((1...count).flatMap { [.text("Frame\($0): "), .image] }, question, facts)
    }

    /// The whole face, and parts of it as further images, each with its name.
    package func details(
        _ parts: [DetailCrops.Part],
        _ question: String,
        facts: PerceptionFacts? = nil
    ) throws(PromptError) -> [ChatMessage] {
        guard parts.count < PromptError.mostImages else { throw .imageCount(parts.count + 1) }
        let labels = ["Face"] + parts.map(\.label)
        return conversation(labels.flatMap { [.text("\($0): "), .image] }, question, facts)
    }

    /// A face in a whole picture, named by its box.
    ///
    /// - Parameters:
    ///   - box: displayed pixels; what reaches outside of the picture is left out.
    ///   - size: of the picture.
    package func region(
        _ box: Rect,
        in size: Size,
        _ question: String,
        facts: PerceptionFacts? = nil
    ) throws(PromptError) -> [ChatMessage] {
        let numbers = try Self.boxNumbers(box, in: size).map { "\($0)" }.joined(separator: ",")
        return conversation([.image, .text("<ref>the face</ref><box>[[\(numbers)]]</box>\n")], question, facts)
    }

    /// Left, top, right and bottom in thousandths of the picture's sides, as in InternVL's training on grounding.
    ///
    /// - Throws: `regionOutsidePicture` for a box that has no area in the picture, or is not of numbers.
    package static func boxNumbers(_ box: Rect, in size: Size) throws(PromptError) -> [Int] {
        func outside() -> PromptError {
            .regionOutsidePicture(left: box.left, top: box.top, width: box.width, height: box.height, size: size)
        }
        let edges = [box.left, box.top, box.right, box.bottom]
        guard size.width > 0, size.height > 0, edges.allSatisfy(\.isFinite) else { throw outside() }
        let sides = [size.width, size.height, size.width, size.height]
        let fractions = zip(edges, sides).map { max(0, min(1, Double($0) / Double($1))) }
        guard fractions[0] < fractions[2], fractions[1] < fractions[3] else { throw outside() }
        var numbers = fractions.map { Int(($0 * 1000).rounded()) }
        // A box of less than a thousandth still has an area.
        for (low, high) in [(0, 2), (1, 3)] where numbers[low] == numbers[high] {
            if numbers[high] < 1000 { numbers[high] += 1 } else { numbers[low] -= 1 }
        }
        return numbers
    }

    private func conversation(
        _ content: [ChatMessage.Content],
        _ question: String,
        _ facts: PerceptionFacts?
    ) -> [ChatMessage] {
        let asked = facts?.sentence.map { "\($0) \(question)" } ?? question
        let user = ChatMessage(.user, content + [.plain(asked)])
        return system.map { [ChatMessage(.system, [.plain($0)]), user] } ?? [user]
    }
}

/// A prompt that cannot be made from what was asked for.
package enum PromptError: Error, Hashable, CustomStringConvertible {
    /// No image, or more than any context window holds.
    case imageCount(Int)
    case regionOutsidePicture(left: Float, top: Float, width: Float, height: Float, size: Size)

    /// 256 tokens each and a window of 32,768 leave room for fewer.
    package static let mostImages = 127

    package var description: String {
        switch self {
        case .imageCount(let count): "\(count) images in one prompt: expected 1 to \(Self.mostImages)"
        case .regionOutsidePicture(let left, let top, let width, let height, let size):
            "a box of \(width) x \(height) at \(left), \(top) shows nothing of a picture of \(size.width) x "
                + "\(size.height)"
        }
    }
}
