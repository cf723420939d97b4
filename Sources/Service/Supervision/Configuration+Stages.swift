internal import Analysis
internal import Events
internal import FaceLLM
internal import Glibc
internal import Journal

/// What journal and describer are given, from what the configuration says.
extension JournalSettings {
    init(_ journal: Configuration.Journal) {
        self.init()
        maximumAge = journal.maxAgeDays.map { .seconds($0 * 86_400) }
        maximumBytes = journal.maxSizeMiB << 20
        durability =
            switch journal.durability {
            case .lastMinute: .lastMinute
            case .everyTransaction: .everyTransaction
            }
    }
}

/// Where the journal's file is.
struct JournalPlace {
    let folder: String
    let fileName: String

    init(_ configuration: Configuration) {
        let path = configuration.statePath(configuration.journal.path)
        let cut = path.lastIndex(of: "/") ?? path.startIndex
        folder = cut == path.startIndex ? "/" : String(path[..<cut])
        fileName = String(path[path.index(after: cut)...])
    }

    /// Whether it lies in that folder, however the two are spelled; the folder is made where it is not there.
    func isFolder(_ other: String) -> Bool {
        mkdir(other, 0o750)
        guard let own = realpath(folder, nil), let others = realpath(other, nil) else { return folder == other }
        defer {
            free(own)
            free(others)
        }
        return strcmp(own, others) == 0
    }
}

extension DaemonStatus.JournalState {
    init(_ status: JournalStatus) {
        failure = status.failure?.description
        pendingLines = status.pendingLines
        lostLines = status.lostLines
        fileBytes = status.fileBytes
        oldest = status.oldest
    }
}

extension DaemonStatus.DescriberState {
    init(_ pool: DescriberPool) {
        let provenance = pool.provenance
        model = provenance.model
        precision = provenance.precision
        waitingSources = pool.waitingSources
        switch pool.availability {
        case .opening: status = "opening"
        case .ready: status = pool.stuck == nil ? "ready" : "stuck"
        case .failed(let reason):
            status = "failed"
            self.reason = reason
        }
    }
}

extension Configuration.Engine {
    /// Tokens of a text: a sentence has about 30, and each costs as much time as a closed question.
    private static let maximumTokens = 64

    /// Opens FaceLLM as the configuration says; nil where it names no model.
    ///
    /// - Parameter environment: of the process, for the usual place of caches.
    package func opener(environment: [String: String], cores: Int) -> DescriberPool.Opener? {
        guard let modelDirectory else { return nil }
        let engine = self
        return {
            var options = FaceLLM.Engine.Options(threads: engine.threads ?? cores)
            options.precision = ModelPrecision(vision: engine.visionPrecision, text: engine.textPrecision)
            options.weightCache =
                engine.cacheDirectory ?? FaceLLM.Engine.standardWeightCache(environment: environment)
            options.adapters = engine.adapters
            return try await FaceLLMDescriber.open(modelDirectory, options: options, inquiry: try engine.inquiry)
        }
    }

    /// What every face is asked.
    private var inquiry: FaceInquiry {
        get throws {
            let catalogue = try FieldCatalogue(userFields)
            var inquiry = FaceInquiry(
                catalogue: fields.isEmpty ? nil : try catalogue.selecting(Set(fields)),
                rules: try ConsistencyRules(),
                question: question.map { FaceQuestion(rawValue: $0)?.text ?? $0 }
            )
            inquiry.description.answer = AnswerOptions(length: .sentence, maximumTokens: Self.maximumTokens)
            return inquiry
        }
    }
}
