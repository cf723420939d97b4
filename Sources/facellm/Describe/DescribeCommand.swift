import Analysis
import ArgumentParser
import Console
import FaceLLM
import Faces
import Foundation
import Imaging
import Video

/// `facellm describe`: what FaceLLM says of still pictures.
struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Describes the face in still pictures with FaceLLM.",
        discussion: """
            The largest face is found and cropped first, with the margin that the model was trained with.

            Examples:
              facellm describe portrait.jpg --model FaceLLM-1B
              facellm describe portrait.jpg --model FaceLLM-1B --question expression --sentence --stream
              facellm describe *.jpg --model FaceLLM-1B --fields eyes,mouth,glasses --json
              facellm describe portrait.jpg --model FaceLLM-1B --question "What is the mood?" --choose "calm,tense"

            Questions by name, as the model was trained on them: \
            \(FaceQuestion.allCases.map(\.rawValue).joined(separator: ", ")). Other texts are asked as they are.

            Exit status: 0 complete, 1 no face or no answer, 2 usage or model, 3 input unreadable.
            """
    )

    @Argument(help: ArgumentHelp("Image files, or videos of which the first frame is taken.", valueName: "image"))
    var images: [String]

    @OptionGroup(title: "Model")
    var model: ModelOptions

    @OptionGroup(title: "What to ask")
    var asking: AskingOptions

    @Flag(inversion: .prefixedNo, help: "Finds the face and shows the model only that.")
    var crop = true

    @Flag(help: "Every face of a picture, not only the largest.")
    var allFaces = false

    @Flag(help: "Tells the model what perception measured: pose, eyes, mouth.")
    var facts = false

    @Flag(help: "Shows the whole picture and names the face by its box.")
    var region = false

    @Flag(help: "Shows eyes and mouth enlarged besides the face, within --image-tokens.")
    var details = false

    @Flag(help: "All images are moments of one face, in order, asked about together.")
    var asFrames = false

    @Option(
        help: ArgumentHelp("Image tokens a question may cost, for --details (256 an image).", valueName: "count")
    )
    var imageTokens = 768

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Writes the answer while it is made.")
    var stream = false

    @Option(help: ArgumentHelp("A picture of where the answer looked (PNG or JPEG).", valueName: "out.png"))
    var heatmap: String?

    func validate() throws {
        if images.isEmpty { throw ValidationError("Name at least one image.") }
        if [region, details, asFrames].count(where: { $0 }) > 1 {
            throw ValidationError("--region, --details and --as-frames exclude one another.")
        }
        if !crop && (region || details || allFaces) {
            throw ValidationError("--no-crop finds no face; --region, --details and --all-faces need one.")
        }
        if asking.fields != nil && (region || details || asFrames) {
            throw ValidationError("--fields are asked about one picture of a face.")
        }
        if stream && json { throw ValidationError("--stream writes text; leave out --json.") }
        if let heatmap {
            guard PictureEncoder.Format(path: heatmap) != nil else {
                throw ValidationError("--heatmap \(heatmap): the name must end with .png or .jpg.")
            }
            if images.count > 1 && !asFrames || allFaces {
                throw ValidationError("--heatmap is of one answer: name one image, without --all-faces.")
            }
            if asking.fields != nil || asking.choose != nil {
                throw ValidationError("--heatmap shows where an answer in words looked: use it with --question.")
            }
        }
        if imageTokens < 256 { throw ValidationError("--image-tokens must be 256 at least: one image.") }
    }

    func run() async throws {
        let question = asking.questionText
        var inquiry = try asking.inquiry()
        inquiry.description.wantsHeatMap = heatmap != nil
        let stop = CancellationFlag()
        let signals = SignalWatch(stop: { _ in stop.cancel() })
        defer { signals.stop() }
        let describer: StillDescriber
        do {
            describer = try await StillDescriber.open(model.path, options: model.engineOptions, stop: stop)
        } catch let error as EngineError {
            StandardError.write("facellm: \(error)\n")
            throw ExitStatus(code: 2)
        }
        var finder = crop ? try faceFinder() : nil
        var status: Int32 = 0
        var moments: [StillDescriber.Shown] = []
        for image in images {
            if stop.isCancelled { throw ExitStatus(code: 130) }
            do {
                let picture = try await StillPicture.read(VideoInput(commandLine: image))
                let shown = try show(picture, image: image, finder: &finder)
                if asFrames {
                    moments += shown.prefix(1)
                    continue
                }
                for one in shown {
                    try await answer([one], with: describer, inquiry: inquiry, question: question)
                }
            } catch {
                status = max(status, try Self.tell(error))
            }
        }
        if asFrames && !moments.isEmpty {
            do {
                try await answer(moments, with: describer, inquiry: inquiry, question: question)
            } catch {
                status = max(status, try Self.tell(error))
            }
        }
        if stop.isCancelled { status = 130 }
        if status != 0 { throw ExitStatus(code: status) }
    }

    /// What went wrong with one picture is told, and the others follow.
    private static func tell(_ error: any Error) throws -> Int32 {
        switch error {
        case let error as VideoError:
            StandardError.write("facellm: \(error)\n")
            return error.exitStatus
        case let error as EngineError:
            StandardError.write("facellm: \(error)\n")
            return error.kind == .cancelled ? 130 : 1
        case is CancellationError: return 130
        case let error as ImagingError:
            StandardError.write("facellm: \(error)\n")
            return 1
        case let error as DescribeProblem:
            StandardError.write("facellm: \(error)\n")
            return 1
        case let error as StandardOutput.Failure:
            StandardError.write("facellm: \(error)\n")
            throw ExitStatus(code: 1)
        default: throw error
        }
    }

    private func faceFinder() throws -> StillFaces {
        let environment = ProcessInfo.processInfo.environment
        do {
            let core = try InferenceCore(cacheFolder: InferenceCore.standardCacheFolder(environment: environment))
            return try StillFaces(core: core, models: ModelFolder.standard(environment: environment))
        } catch {
            StandardError.write("facellm: \(error)\n")
            throw ExitStatus(code: 1)
        }
    }

    // MARK: - Pictures

    private func show(_ picture: Picture, image: String, finder: inout StillFaces?) throws -> [StillDescriber.Shown] {
        let pyramid = Pyramid(picture)
        func shown(_ views: [RGBImage], _ face: StillFace?, _ layout: StillDescriber.Layout) -> StillDescriber.Shown {
            StillDescriber.Shown(
                image: image,
                views: views,
                layout: layout,
                size: picture.size,
                face: face?.face,
                facts: facts ? face.map { PerceptionFacts($0.facts) } : nil
            )
        }
        guard let finder else { return [shown([try RGBImage(pyramid)], nil, .face)] }
        let found: [StillFace]
        do {
            found = try finder.find(in: picture)
        } catch {
            throw DescribeProblem(description: "\(image): \(error)")
        }
        guard let largest = found.first else {
            throw DescribeProblem(
                description: "\(image): no face was found; --no-crop describes the picture as it is"
            )
        }
        if found.count > 1 && !allFaces {
            StandardError.write("facellm: \(image): \(found.count) faces, the largest is described (--all-faces)\n")
        }
        return try (allFaces ? found : [largest]).map { face in
            do {
                let box = face.face.box
                if region { return shown([try RGBImage(pyramid)], face, .region(box)) }
                let whole = try RGBImage(pyramid, crop: try FaceCrop(around: box))
                guard details else { return shown([whole], face, .face) }
                let parts = try DetailCrops.choose(face: box, tokenBudget: imageTokens)
                let views = try parts.map { try RGBImage(pyramid, crop: $0.crop) }
                return shown([whole] + views, face, .details(parts.map(\.part)))
            } catch {
                throw DescribeProblem(description: "\(image): \(error)")
            }
        }
    }

    // MARK: - Answers

    private func answer(
        _ shown: [StillDescriber.Shown],
        with describer: StillDescriber,
        inquiry: FaceInquiry,
        question: String
    ) async throws {
        let image = shown.map(\.image).joined(separator: ", ")
        let isNamed = images.count > 1 && !asFrames || allFaces
        if let choose = asking.choose {
            let answers = AskingOptions.words(choose)
            let (scores, timings) = try await describer.choose(
                answers,
                question: question,
                shown: shown,
                options: inquiry.choice,
                timeout: asking.timeout
            )
            let result = DescribeResult(shown, question: question, answers: answers, scores: scores, timings: timings)
            try StandardOutput.write((json ? try result.line : result.text(named: isNamed ? image : nil)) + "\n")
            return
        }
        let streams = stream
        if streams && isNamed { try StandardOutput.write("\(image): ") }
        let report = try await describer.report(shown, inquiry: inquiry, timeout: asking.timeout) { piece in
            // A reader that went away shows again at the end of the answer.
            if streams { try? StandardOutput.write(piece) }
        }
        let result = DescribeResult(shown, report: report, question: inquiry.question)
        let text =
            json
            ? try result.line
            : streams
                ? report.fields.map { _ in "\n\(result.fieldsText)" } ?? "" : result.text(named: isNamed ? image : nil)
        try StandardOutput.write(text + "\n")
        if let shortfall = report.shortfall { StandardError.write("facellm: \(image): \(shortfall)\n") }
        if let heatmap, let map = report.description?.heatMap, let format = PictureEncoder.Format(path: heatmap),
            let view = shown.first?.views.first
        {
            try PictureEncoder.write(map.overlay(on: view), to: heatmap, format: format)
        }
    }
}

/// One picture cannot be described; the others can.
struct DescribeProblem: Error, CustomStringConvertible {
    var description: String
}
