internal import Events
package import Faces
internal import Imaging
package import Video

/// Makes a copy of a video in which faces cannot be seen.
///
/// The video is read twice: first every frame is searched and the faces are followed, then every frame is written with
/// what the plan covers. Then the detector looks at every frame of the copy; while it finds something, the plan is
/// corrected and the copy written again. Stretches of the copy that came out as they were when nothing was found in
/// them, byte for byte, are not searched again. So a copy is whole only when nothing is found in it. Memory holds
/// boxes, not frames, whatever the length.
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
        /// How often a copy is written, at least once, before it is given up because something is still found in it.
        package var maximumPasses = 8

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
        /// Whether the copy has every frame that could be decoded, and the detector finds no face in any of them.
        package var isWhole = false
        package var framesWritten = 0
        /// Faces that were followed, for however short a time.
        package var tracks = 0
        /// Regions that were covered, counted in each frame.
        package var regions = 0
        /// Tracks that had to be covered more plainly, and patches that were added, because something was found in the
        /// copy.
        package var corrections = 0
        /// Frames of copies that were searched, each as often as it was.
        package var framesSearched = 0
        /// How often the copy was written.
        package var passes = 0
    }

    /// What the copy is made of, frame by frame: where each belongs in time, and its pixels as displayed.
    private typealias FrameList = [(time: Double, size: Size)]

    /// A finished copy.
    private struct Copy {
        /// None left out.
        var frames: FrameList
        /// Pixels.
        var size: Size
        /// In order; each can be decoded without the others.
        var stretches: [VideoWriter.Stretch]
    }

    private typealias Findings = [(frame: Int, finding: RedactionCheck.Finding)]

    private let options: Options
    private let stopping: StopSwitch
    private let report: @Sendable (RunProgress) -> Void
    private let executor = QueueExecutor(label: "facellm.redaction")

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter report: called after each frame, on a queue of this run; every reading has the same share.
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
            var plan = try await look(core: core, into: &outcome)
            try await writeUntilNothingIsFound(&plan, core: core, into: &outcome)
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
                    for face in seen.faces {
                        // One without a track is surely a face, but lies on another one.
                        guard let track = face.track else { continue }
                        plan.see(
                            track: track,
                            box: face.box.ratios(of: frame.picture.size),
                            at: frame.mediaTime
                        )
                    }
                    tell(
                        "searching",
                        part: 0,
                        at: frame.mediaTime,
                        of: reader.info.duration,
                        faces: seen.faces.count,
                        tracks: plan.trackCount
                    )
                }
            }
        } catch let error as VideoError where error.exitStatus == 4 {
            // All frames came all the same; the second reading says it again.
        }
        plan.finish()
        outcome.tracks = plan.trackCount
        return plan
    }

    // MARK: - Further readings

    private func writeUntilNothingIsFound(
        _ plan: inout RedactionPlan,
        core: InferenceCore,
        into outcome: inout Outcome
    ) async throws {
        let check = try RedactionCheck(
            core: core,
            models: options.models,
            perception: options.perception,
            method: options.method,
            margin: options.plan.margin
        )
        // What of the stretches was clean when it was last searched, by their numbers.
        var clean: [Int: [UInt8]] = [:]
        for pass in 0..<max(1, options.maximumPasses) {
            if stopping.reason != nil { return }
            let copy = try await write(plan, pass: pass, into: &outcome)
            if stopping.reason != nil { return }
            outcome.passes = pass + 1
            outcome.tracks = plan.trackCount
            let findings = try await findings(check, plan: plan, copy: copy, clean: &clean, pass: pass, into: &outcome)
            if stopping.reason != nil { return }
            let isLast = pass + 1 >= options.maximumPasses
            let left = findings.filter { $0.finding.score >= check.threshold }
            // What lies below the threshold is worth a correction, but no failure.
            if findings.isEmpty || isLast && left.isEmpty {
                outcome.isWhole = true
                return
            }
            if isLast, let first = left.first {
                throw RedactionFailure.facesLeft(
                    frames: left.count,
                    of: copy.frames.count,
                    first: copy.frames[first.frame].time,
                    passes: outcome.passes
                )
            }
            correct(&plan, after: findings, copy: copy)
        }
    }

    private func write(_ plan: RedactionPlan, pass: Int, into outcome: inout Outcome) async throws -> Copy {
        let reader = try await open()
        defer { reader.cancel() }
        var writer: VideoWriter?
        var copy = Copy(frames: [], size: Size(width: 0, height: 0), stretches: [])
        (outcome.regions, outcome.corrections) = (0, plan.correctionCount)
        do {
            while let event = try await reader.next() {
                if stopping.reason != nil { return copy }
                guard case .frame(let frame) = event else { continue }
                if writer == nil {
                    writer = try VideoWriter(
                        path: options.output,
                        size: frame.picture.size,
                        framesPerSecond: reader.info.framesPerSecond,
                        hasSeparateStretches: true
                    )
                    if let size = writer?.size { copy.size = size }
                }
                var canvas = Canvas(frame.picture)
                let size = canvas.size
                let covers = plan.covers(at: frame.mediaTime)
                for cover in covers { options.method.apply(cover.pixels(in: size), to: &canvas) }
                try writer?.append(canvas, at: frame.mediaTime)
                copy.frames.append((frame.mediaTime, size))
                outcome.regions += covers.count
                tell(
                    pass == 0 ? "writing" : "writing again (\(pass + 1))",
                    part: 1 + 2 * pass,
                    at: frame.mediaTime,
                    of: reader.info.duration,
                    faces: covers.count,
                    tracks: plan.trackCount
                )
            }
            (outcome.exitStatus, outcome.message) = (0, nil)
        } catch let error as VideoError where error.exitStatus == 4 {
            // All frames came all the same.
            (outcome.exitStatus, outcome.message) = (4, error.description)
        }
        try writer?.finish()
        copy.stretches = writer?.stretches ?? []
        outcome.framesWritten = copy.frames.count
        return copy
    }

    /// What the detector finds in the copy, as it will be decoded by others.
    ///
    /// - Parameter clean: digests of the stretches in which nothing was found; brought up to date.
    private func findings(
        _ check: RedactionCheck,
        plan: RedactionPlan,
        copy: Copy,
        clean: inout [Int: [UInt8]],
        pass: Int,
        into outcome: inout Outcome
    ) async throws -> Findings {
        guard !copy.frames.isEmpty else { return [] }
        var findings: Findings = []
        var count = 0, stretch = 0
        var isStretchClean = true
        do {
            let reader = try await open(.file(options.output))
            defer { reader.cancel() }
            while let event = try await reader.next() {
                if stopping.reason != nil { return [] }
                guard case .frame(let frame) = event else { continue }
                defer { count += 1 }
                guard count < copy.frames.count else { continue }
                while stretch < copy.stretches.count, count >= copy.stretches[stretch].frames.upperBound {
                    clean[stretch] = isStretchClean ? copy.stretches[stretch].digest : nil
                    (stretch, isStretchClean) = (stretch + 1, true)
                }
                let (time, size) = copy.frames[count]
                let isKnown = stretch < copy.stretches.count && clean[stretch] == copy.stretches[stretch].digest
                var faces = 0
                if !isKnown {
                    let place = Letterbox(size, in: frame.picture.size)
                    let covers = plan.covers(at: time).map { $0.pixels(in: size).placed(by: place) }
                    faces = covers.count
                    outcome.framesSearched += 1
                    if let finding = try check.look(at: frame.picture, covers: covers, attempt: pass) {
                        findings.append((count, finding))
                        isStretchClean = false
                    }
                }
                tell(
                    "looking at the copy",
                    part: 2 + 2 * pass,
                    at: time,
                    of: copy.frames.last?.time,
                    faces: faces,
                    tracks: plan.trackCount
                )
            }
            if stretch < copy.stretches.count {
                clean[stretch] = isStretchClean ? copy.stretches[stretch].digest : nil
            }
        } catch let error as VideoError where stopping.reason == nil {
            throw RedactionFailure.copyUnreadable(error.description)
        }
        guard stopping.reason != nil || count == copy.frames.count else {
            throw RedactionFailure.framesMissing(count, of: copy.frames.count)
        }
        return findings
    }

    private func correct(_ plan: inout RedactionPlan, after findings: Findings, copy: Copy) {
        // Findings name covers as they were when the copy was written.
        let before = plan
        // Faces that were missed, with the last box of each: they are followed like others, if more simply.
        var missed: [(track: Int, box: Rect, time: Double)] = []
        for (number, finding) in findings {
            let (time, size) = copy.frames[number]
            let place = Letterbox(size, in: copy.size)
            let covers = before.covers(at: time)
            for correction in finding.corrections {
                switch correction {
                case .missed(let rect):
                    let box = place.origin(of: rect).ratios(of: size)
                    let index =
                        missed.firstIndex { time - $0.time <= options.plan.hold && $0.box.iou(box) > 0.2 }
                        ?? missed.count
                    let track = index < missed.count ? missed[index].track : before.unusedTrack + missed.count
                    if index < missed.count {
                        missed[index] = (track, box, time)
                    } else {
                        missed.append((track, box, time))
                    }
                    plan.see(track: track, box: box, at: time)
                case .strengthen(let index, let strength):
                    // Those behind the last are of faces that were missed, and have no track yet.
                    if index < covers.count { plan.strengthen(track: covers[index].track, to: strength) }
                case .patch: break
                }
            }
        }
        // Numbers of their own, behind those of the faces.
        for (number, finding) in findings {
            let (time, size) = copy.frames[number]
            for case .patch(let rect) in finding.corrections {
                plan.patch(Letterbox(size, in: copy.size).origin(of: rect).ratios(of: size), at: time)
            }
        }
        plan.finish()
    }

    // MARK: - Parts

    /// Every frame, whole and in order, by one thread: how two hide the damage of a broken stream differs from one
    /// reading to the next.
    ///
    /// - Parameter input: the video itself when nil.
    private func open(_ input: VideoInput? = nil) async throws -> VideoReader {
        var readerOptions = VideoReader.Options(input: input ?? options.input, sampling: .everyFrame)
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

    /// - Parameters:
    ///   - part: of searching, writing, looking, and the last two again for each correction.
    ///   - duration: of the part in hand, seconds.
    private func tell(_ activity: String, part: Int, at time: Double, of duration: Double?, faces: Int, tracks: Int) {
        let parts = max(3, part + 1 + part % 2)
        report(
            RunProgress(
                activity: activity,
                mediaTime: ((duration ?? 0) * Double(part) + time) / Double(parts),
                duration: duration,
                faces: faces,
                tracks: tracks
            )
        )
    }
}

extension RedactionCover {
    /// What these ratios of a frame are in its pixels.
    fileprivate func pixels(in size: Size) -> RedactionCover {
        var cover = self
        cover.region = region.pixels(in: size)
        cover.block = block.map { $0 * Float(size.height) }
        return cover
    }

    /// The same in a video that the frame was fitted into, all in pixels.
    fileprivate func placed(by place: Letterbox) -> RedactionCover {
        var cover = self
        cover.region = place.place(region)
        return cover
    }
}

extension Rect {
    /// What these ratios of a frame are in its pixels.
    fileprivate func pixels(in size: Size) -> Rect {
        let (x, y) = (Float(size.width), Float(size.height))
        return Rect(left: left * x, top: top * y, width: width * x, height: height * y)
    }

    /// The other way round.
    fileprivate func ratios(of size: Size) -> Rect {
        let (x, y) = (Float(size.width), Float(size.height))
        return Rect(left: left / x, top: top / y, width: width / x, height: height / y)
    }
}
