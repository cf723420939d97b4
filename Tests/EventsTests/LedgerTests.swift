import Events
import Testing

@Suite("The ledger")
struct LedgerTests {
    @Test("an empty and a balanced ledger are in order")
    func balanced() {
        #expect(Ledger().violations(atEnd: true).isEmpty)
        #expect(Samples.ledger.violations(atEnd: true).isEmpty)
    }

    @Test(
        "each counter of an equation breaks it",
        arguments: [
            \Ledger.framesDecoded, \.framesSampled, \.framesUnsampled, \.facesObserved, \.facesAnalysed, \.facesReused,
            \.facesRejectedQuality, \.facesDroppedOverload, \.facesFailed, \.facesPending, \.cropsQueued,
            \.cropsDescribed,
            \.cropsReplaced, \.cropsExpired, \.cropsDroppedOverload, \.cropsFailed, \.cropsPending, \.tracksEnded,
        ] as [any WritableKeyPath<Ledger, Int> & Sendable]
    )
    func broken(counter: any WritableKeyPath<Ledger, Int> & Sendable) {
        var ledger = Samples.ledger
        ledger[keyPath: counter] += 1
        #expect(ledger.violations().count == 1)
    }

    @Test("a violation shows the numbers")
    func words() {
        var ledger = Samples.ledger
        ledger.framesSampled = 5
        #expect(
            ledger.violations() == ["frames_decoded (10) ≠ frames_sampled (5) + frames_unsampled (6)"]
        )
    }

    @Test("skipped and corrupt frames stand outside the equations")
    func outside() {
        var ledger = Samples.ledger
        ledger.framesSkipped = 100
        ledger.framesCorrupt = 3
        #expect(ledger.violations(atEnd: true).isEmpty)
    }

    @Test("pending faces and open tracks are in order before the end only")
    func atEnd() {
        var ledger = Samples.ledger
        ledger.facesObserved += 1
        ledger.facesPending += 1
        ledger.cropsQueued += 1
        ledger.cropsPending += 1
        ledger.tracksStarted += 1
        #expect(ledger.violations().isEmpty)
        #expect(ledger.violations(atEnd: true).count == 3)
    }

    @Test("counters below 0 are named, huge ones do not trap")
    func extremes() {
        var ledger = Ledger()
        ledger.facesFailed = -1
        ledger.facesReused = 1
        #expect(ledger.violations() == ["faces_failed (-1) is below 0"])
        ledger.facesReused = .max
        ledger.facesAnalysed = .max
        #expect(!ledger.violations().isEmpty)
        #expect((ledger + ledger).facesReused == .max)
    }

    @Test("ledgers add up counter by counter")
    func sum() {
        var total = Samples.ledger + Samples.ledger
        #expect(total.framesDecoded == 20 && total.facesFailed == 10 && total.tracksEnded == 4)
        #expect(total.violations(atEnd: true).isEmpty)
        total += Ledger()
        #expect(total == Samples.ledger + Samples.ledger)
    }

    @Test(
        "exit reasons have the documented exit status",
        arguments: [
            (ExitReason.complete, 0, true), (.interrupted, 130, false), (.terminated, 143, false),
            (.decodeErrors, 4, true), (.failure, 1, false), (.outputFailed, 1, false),
        ] as [(ExitReason, Int32, Bool)]
    )
    func exitReasons(reason: ExitReason, status: Int32, complete: Bool) {
        #expect(reason.exitCode == status)
        #expect(RunSummary(ledger: Ledger(), exitReason: reason, provenance: [:]).complete == complete)
    }
}
