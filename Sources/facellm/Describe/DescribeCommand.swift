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

    @Option(
        help: ArgumentHelp(
            "Faces that are described together: sooner than one after the other, with the same words. One by one with"
                + " --stream, --choose, --timeout, --heatmap, --region and --details.",
            valueName: "count"
        )
    )
    var batch = FaceLLMDescriber.usualTogether

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
        try BatchLimit.check(batch, "--batch")
        if imageTokens < 256 { throw ValidationError("--image-tokens must be 256 at least: one image.") }
    }

    func run() async throws {
        var inquiry = try asking.inquiry()
        inquiry.description.wantsHeatMap = heatmap != nil
        let stop = CancellationFlag()
        let signals = SignalWatch(stop: { _ in stop.cancel() })
        defer { signals.stop() }
        let describer: StillDescriber
        do {
            describer = try await StillDescriber.open(model.path, options: model.engineOptions, stop: stop)
        } catch let error as EngineError {
            StandardError.line("facellm: \(error)")
            throw ExitStatus(code: 2)
        }
        var finder = crop ? try faceFinder() : nil
        var status: Int32 = 0
        var waiting = DescribeQueue(facesTogether: asFrames ? images.count : facesTogether)
        for image in images {
            if stop.isCancelled { break }
            do {
                let picture = try await StillPicture.read(VideoInput(commandLine: image))
                let shown = try show(picture, image: image, finder: &finder)
                for one in asFrames ? shown.prefix(1) : shown[...] {
                    waiting.add(.face(one))
                    if !asFrames, waiting.isFull {
                        status = max(status, try await answer(&waiting, describer, inquiry))
                    }
                }
            } catch {
                // In its place among the answers, as if each face were answered at once.
                waiting.add(.problem(error))
            }
        }
        if !stop.isCancelled { status = max(status, try await answer(&waiting, describer, inquiry)) }
        if stop.isCancelled { status = 130 }
        if status != 0 { throw ExitStatus(code: status) }
    }

    /// How many faces may be answered about at once; a face alone where the answer is of a kind of its own.
    private var facesTogether: Int {
        stream || region || details || heatmap != nil || asking.choose != nil || asking.timeout != nil ? 1 : batch
    }

    /// Answers about what waits and tells of it in order.
    ///
    /// - Returns: the exit status that it asks for.
    private func answer(
        _ waiting: inout DescribeQueue,
        _ describer: StillDescriber,
        _ inquiry: FaceInquiry
    ) async throws -> Int32 {
        var status: Int32 = 0
        let entries = waiting.removeAll()
        let shown = entries.compactMap { if case .face(let one) = $0 { one } else { nil } }
        var reports: ArraySlice<Result<FaceReport, any Error>> =
            shown.count > 1 && !asFrames ? await describer.reports(shown, inquiry: inquiry)[...] : []
        for entry in entries {
            do {
                switch entry {
                case .problem(let error): throw error
                case .face where asFrames: continue
                case .face(let one):
                    if let report = reports.popFirst() {
                        try write(try report.get(), [one], question: inquiry.question)
                    } else {
                        try await answer([one], with: describer, inquiry: inquiry)
                    }
                }
            } catch {
                status = max(status, try Self.tell(error))
            }
        }
        if asFrames && !shown.isEmpty {
            do {
                try await answer(shown, with: describer, inquiry: inquiry)
            } catch {
                status = max(status, try Self.tell(error))
            }
        }
        return status
    }

    /// What went wrong with one picture is told, and the others follow.
    private static func tell(_ error: any Error) throws -> Int32 {
        switch error {
        case let error as VideoError:
            StandardError.line("facellm: \(error)")
            return error.exitStatus
        case let error as EngineError:
            StandardError.line("facellm: \(error)")
            return error.kind == .cancelled ? 130 : 1
        case is CancellationError: return 130
        case let error as ImagingError:
            StandardError.line("facellm: \(error)")
            return 1
        case let error as DescribeProblem:
            StandardError.line("facellm: \(error)")
            return 1
        case let error as StandardOutput.Failure:
            StandardError.line("facellm: \(error)")
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
            StandardError.line("facellm: \(error)")
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
            StandardError.line("facellm: \(image): \(found.count) faces, the largest is described (--all-faces)")
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

    /// Answers about one face and writes the answer, as it is made where that is wanted.
    private func answer(
        _ shown: [StillDescriber.Shown],
        with describer: StillDescriber,
        inquiry: FaceInquiry
    ) async throws {
        if let choose = asking.choose {
            let question = asking.questionText
            let answers = AskingOptions.words(choose)
            let (scores, timings) = try await describer.choose(
                answers,
                question: question,
                shown: shown,
                options: inquiry.choice,
                timeout: asking.timeout
            )
            let result = DescribeResult(shown, question: question, answers: answers, scores: scores, timings: timings)
            return try StandardOutput.write(
                (json ? try result.line : plain(result.text(named: name(of: shown)))) + "\n"
            )
        }
        let streams = stream
        if streams, let name = name(of: shown) { try StandardOutput.write(plain("\(name): ")) }
        let report = try await describer.report(shown, inquiry: inquiry, timeout: asking.timeout) { piece in
            // A reader that went away shows again at the end of the answer.
            if streams { try? StandardOutput.write(plain(piece)) }
        }
        try write(report, shown, question: inquiry.question)
    }

    /// Names of files and words of a model, as a terminal may show them.
    private func plain(_ text: String) -> String { TerminalText.plain(text, keepsLines: true) }

    /// Writes what was not written yet of an answer.
    private func write(_ report: FaceReport, _ shown: [StillDescriber.Shown], question: String?) throws {
        let result = DescribeResult(shown, report: report, question: question)
        let text =
            json
            ? try result.line
            : stream
                ? report.fields.map { _ in plain("\n\(result.fieldsText)") } ?? ""
                : plain(result.text(named: name(of: shown)))
        try StandardOutput.write(text + "\n")
        if let shortfall = report.shortfall { StandardError.line("facellm: \(images(of: shown)): \(shortfall)") }
        if let heatmap, let map = report.description?.heatMap, let format = PictureEncoder.Format(path: heatmap),
            let view = shown.first?.views.first
        {
            try PictureEncoder.write(map.overlay(on: view), to: heatmap, format: format)
        }
    }

    private func images(of shown: [StillDescriber.Shown]) -> String { shown.map(\.image).joined(separator: ", ") }

    /// What an answer is told under, where there are several.
    private func name(of shown: [StillDescriber.Shown]) -> String? {
        images.count > 1 && !asFrames || allFaces ? images(of: shown) : nil
    }
}

/// One picture cannot be described; the others can.
struct DescribeProblem: Error, CustomStringConvertible {
    var description: String
}
