internal import Events

/// In which counter of the ledger a face ends.
enum FaceOutcome: Sendable {
    /// The classifiers were asked about it.
    case analysed
    /// It shows nothing new: the last answers hold.
    case reused
    /// Too small, blurred, turned away or unsure.
    case rejected
    /// A network failed.
    case failed
}

/// Outcomes of faces that wait until it is known whether their track counts.
struct FaceOutcomes: Sendable {
    private var analysed = 0
    private var reused = 0
    private var rejected = 0
    private var failed = 0

    init() {}

    init(_ outcome: FaceOutcome) {
        add(outcome)
    }

    mutating func add(_ outcome: FaceOutcome) {
        switch outcome {
        case .analysed: analysed += 1
        case .reused: reused += 1
        case .rejected: rejected += 1
        case .failed: failed += 1
        }
    }

    var total: Int { analysed + reused + rejected + failed }

    func add(to ledger: inout Ledger) {
        ledger.facesAnalysed += analysed
        ledger.facesReused += reused
        ledger.facesRejectedQuality += rejected
        ledger.facesFailed += failed
    }
}
