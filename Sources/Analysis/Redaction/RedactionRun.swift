internal import Events
package import Faces
internal import Imaging
package import Video

/// Makes a copy of a video in which faces cannot be seen.
///
/// The video is read twice: first every frame is searched and the faces are followed, then every frame is written with
/// what the plan covers. Before a frame is written the detector looks at it once more, and what it still finds is
/// covered too. So memory holds boxes, not frames, whatever the length.
package actor RedactionRun {
    package enum Method: String, Sendable, CaseIterable {
        /// Blocks of one colour each.
        case pixelate
        /// Black.
        case fill
    }

    package struct Options: Sendable {
        package var input: VideoInput
        /// Where the copy is written, overwritten without asking.
        package var output: String
        package var models: ModelFolder
        /// Where compiled models are kept between runs; nil for nowhere.
        package var modelCache: String?
        package var perception = Perception.Settings()
        package var plan = RedactionPlan.Settings()
        package var method = Method.pixelate
        package var maximumDecodeErrors = 100

        package init(input: VideoInput, output: String, models: ModelFolder) {
            self.input = input
            self.output = output
            self.models = models
            perception.tiling = .auto
            perception.maximumFaces = 1000
            perception.detectorInterval = 0
        }
    }

    package struct Outcome: Sendable {
        /// 0 complete, 1 failure, 3 input unreadable, 4 too many decode errors, 130 and 143 after a signal.
        package var exitStatus: Int32 = 0
        /// What went wrong, with the remedy.
        package var message: String?
        /// Whether the copy has every frame that could be decoded, each of them redacted.
        package var isWhole = false
        package var framesWritten = 0
        /// Faces that were followed, for however short a time.
        package var tracks = 0
        /// Regions that were covered, counted in each frame.
        package var regions = 0
        /// Of these, those that only the second look found.
        package var foundLater = 0
    }

    /// The detector's score from which the second look covers what it finds: a little below that from which a face is
    /// reported, for encoding changes the picture once more.
    private static let secondLook: Float = 0.4
    /// The same where something is covered already: blocks can look like a face, and there nothing is lost.
    private static let secondLookAtCovered: Float = 0.3
    /// Second looks at one frame, each covering more around what it finds.
    private static let looks = 5
    /// Blocks along the longer side of a covered region: of seven the detector still took one in two for a face.
    private static let blocks = 5

    private let options: Options
    private let stopping: StopSwitch
    private let report: @Sendable (RunProgress) -> Void
    private let executor = QueueExecutor(label: "facellm.redaction")

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter report: called after each frame, on a queue of this run; both readings count half.
    package init(
        options: Options,
        stopping: StopSwitch = StopSwitch(),
        report: @escaping @Sendable (RunProgress) -> Void = { _ in }
    ) {
        self.options = options
        self.stopping = stopping
        self.report = report
    }

    /// Asks the run to end after the frame in hand; from any thread.
    package nonisolated func stop(_ reason: RecordedRun.StopReason) {
        stopping.stop(reason)
    }

    /// Runs to the end; what went wrong is in the outcome.
    package func run() async -> Outcome {
        var outcome = Outcome()
        do {
            let core = try InferenceCore(cacheFolder: options.modelCache)
            let plan = try await look(core: core, into: &outcome)
            if stopping.reason == nil { try await write(plan, core: core, into: &outcome) }
        } catch let error as VideoError {
            if outcome.message == nil { outcome.message = error.description }
            outcome.exitStatus = error.exitStatus
        } catch is CancellationError {
            outcome.exitStatus = 1
        } catch {
            outcome.exitStatus = 1
            outcome.message = "\(error)"
        }
        if let reason = stopping.reason {
            outcome.exitStatus = reason.rawValue
            outcome.message = nil
            outcome.isWhole = false
        }
        return outcome
    }

    // MARK: - First reading

    private func look(core: InferenceCore, into outcome: inout Outcome) async throws -> RedactionPlan {
        let perception = try Perception(core: core, models: options.models, settings: options.perception)
        var plan = RedactionPlan(settings: options.plan)
        let reader = try await open()
        defer { reader.cancel() }
        do {
            while let event = try await reader.next() {
                if stopping.reason != nil { return plan }
                switch event {
                case .epoch: _ = perception.finish()
                case .frame(let frame):
                    let seen = try perception.look(at: Pyramid(frame.picture), time: frame.mediaTime)
                    let (width, height) = (Float(frame.width), Float(frame.height))
                    for face in seen.faces {
                        // One without a track is surely a face, but lies on another one.
                        guard let track = face.track else { continue }
                        plan.see(
                            track: track,
                            box: Rect(
                                left: face.box.left / width,
                                top: face.box.top / height,
                                width: face.box.width / width,
                                height: face.box.height / height
                            ),
                            at: frame.mediaTime
                        )
                    }
                    tell(reader, at: frame.mediaTime, half: 0, faces: seen.faces.count, tracks: plan.trackCount)
                }
            }
        } catch let error as VideoError where error.exitStatus == 4 {
            // All frames came all the same; the second reading says it again.
        }
        plan.finish()
        outcome.tracks = plan.trackCount
        return plan
    }

    // MARK: - Second reading

    private func write(_ plan: RedactionPlan, core: InferenceCore, into outcome: inout Outcome) async throws {
        let finder = try FaceFinder(
            core: core,
            models: options.models,
            mode: options.perception.tiling,
            tilesPerPicture: nil
        )
        let reader = try await open()
        defer { reader.cancel() }
        var writer: VideoWriter?
        var tooDamaged: VideoError?
        do {
            while let event = try await reader.next() {
                if stopping.reason != nil { return }
                guard case .frame(let frame) = event else { continue }
                if writer == nil {
                    writer = try VideoWriter(
                        path: options.output,
                        size: frame.picture.size,
                        framesPerSecond: reader.info.framesPerSecond
                    )
                }
                var canvas = Canvas(frame.picture)
                let regions = plan.regions(at: frame.mediaTime)
                for region in regions { cover(region, on: &canvas) }
                outcome.regions += regions.count
                outcome.foundLater += try lookAgain(finder, at: &canvas, covered: regions)
                try writer?.append(canvas, at: frame.mediaTime)
                outcome.framesWritten += 1
                tell(reader, at: frame.mediaTime, half: 1, faces: regions.count, tracks: plan.trackCount)
            }
        } catch let error as VideoError where error.exitStatus == 4 {
            tooDamaged = error
        }
        try writer?.finish()
        outcome.isWhole = true
        outcome.regions += outcome.foundLater
        if let tooDamaged {
            outcome.exitStatus = 4
            outcome.message = tooDamaged.description
        }
    }

    /// - Parameter region: in ratios of the frame.
    private func cover(_ region: Rect, on canvas: inout Canvas) {
        let (width, height) = (Float(canvas.size.width), Float(canvas.size.height))
        cover(
            pixels: Rect(
                left: region.left * width,
                top: region.top * height,
                width: region.width * width,
                height: region.height * height
            ),
            on: &canvas
        )
    }

    private func cover(pixels rect: Rect, on canvas: inout Canvas) {
        switch options.method {
        case .pixelate: canvas.pixelate(rect, across: Self.blocks)
        case .fill: canvas.fill(rect, color: .black)
        }
    }

    /// Covers what the detector still finds by one colour.
    ///
    /// - Parameter covered: what is covered already, in ratios of the frame.
    /// - Returns: how many regions.
    private func lookAgain(_ finder: FaceFinder, at canvas: inout Canvas, covered: [Rect]) throws -> Int {
        let (width, height) = (Float(canvas.size.width), Float(canvas.size.height))
        var regions = covered.map {
            Rect(left: $0.left * width, top: $0.top * height, width: $0.width * width, height: $0.height * height)
        }
        var count = 0
        for look in 0..<Self.looks {
            // A guess at something much larger than what is covered there is one at a body, a chair or a window.
            let found = try finder.find(in: Pyramid(Picture(canvas)), threshold: Self.secondLookAtCovered)
                .filter { face in
                    face.score >= Self.secondLook
                        || regions.contains { $0.intersectionArea(face.box) > 0 && face.box.area < 1.5 * $0.area }
                }
            if found.isEmpty { break }
            count += found.count
            for face in found {
                let rect = face.box.scaled(by: 1 + 2 * options.plan.margin + 0.15 * Float(look))
                switch options.method {
                case .pixelate: canvas.pixelate(rect, across: 1)
                case .fill: canvas.fill(rect, color: .black)
                }
                regions.append(rect)
            }
        }
        return count
    }

    // MARK: - Parts

    /// Every frame, whole and in order, by one thread: how two hide the damage of a broken stream differs from one
    /// reading to the next.
    private func open() async throws -> VideoReader {
        var readerOptions = VideoReader.Options(input: options.input, sampling: .everyFrame)
        readerOptions.policy = .backPressure
        readerOptions.decoderThreads = 1
        readerOptions.maximumDecodeErrors = options.maximumDecodeErrors
        let fixed = readerOptions
        let opening = Task { try await VideoReader.open(fixed) }
        stopping.attach { opening.cancel() }
        let reader = try await opening.value
        stopping.attach { reader.cancel() }
        return reader
    }

    private func tell(_ reader: VideoReader, at time: Double, half: Double, faces: Int, tracks: Int) {
        let duration = reader.info.duration
        report(
            RunProgress(
                mediaTime: (duration ?? 0) * half / 2 + time / 2,
                duration: duration,
                faces: faces,
                tracks: tracks
            )
        )
    }
}
