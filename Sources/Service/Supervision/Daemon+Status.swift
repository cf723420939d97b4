internal import Analysis
package import Events
internal import FoundationEssentials
internal import Glibc
internal import Journal

/// How the daemon stands, for whoever asks; nothing here waits for a source.
extension Daemon {
    /// Of all sources since the start; never waits for one.
    package var ledger: Ledger {
        var ledger = running.reduce(past) { $0 + $1.supervisor.state.ledger }
        ledger.eventsPublished = bus.lastSeq
        return ledger
    }

    package var uptimeSeconds: Double {
        let elapsed = (ContinuousClock.now - started).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }

    var provenance: [String: Provenance] {
        var settings = AnalysisSettings()
        settings.attributes = []
        for source in running { settings.attributes.formUnion(source.supervisor.attributes) }
        var table = ["perception": RunProvenance.perception(settings)]
        if let pool { table[DescriptionStage.provenanceID] = pool.provenance }
        return table
    }

    /// Of every source that runs, with where it comes from.
    var sourceStates: [SourceState] {
        running.map { source in
            var state = source.supervisor.state
            if added.contains(state.name) { state.origin = .command }
            return state
        }
    }

    package var hello: Hello {
        Hello(
            versions: ["facellm": RunProvenance.version],
            sources: running.map(\.supervisor.name),
            provenance: provenance
        )
    }

    package var heartbeat: Heartbeat {
        let states = running.map(\.supervisor.state)
        return Heartbeat(ledger: ledger, lagSeconds: states.compactMap(\.lagSeconds).max())
    }

    package var status: DaemonStatus {
        get async {
            let journal = await journal?.status()
            return DaemonStatus(
                version: RunProvenance.version,
                instanceID: bus.instanceID,
                startedAt: startedAt,
                uptimeSeconds: (uptimeSeconds * 10).rounded() / 10,
                ready: isReady,
                sources: sourceStates,
                ledger: ledger,
                journal: journal.map(DaemonStatus.JournalState.init),
                subscribers: bus.subscriberCount - sinks.count,
                describer: pool.map(DaemonStatus.DescriberState.init),
                memoryMegabytes: Self.residentMegabytes
            )
        }
    }

    private static var residentMegabytes: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
        else { return 0 }
        return (pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e5).rounded() / 10
    }
}
