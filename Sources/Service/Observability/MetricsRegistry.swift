package import CoreMetrics
import Synchronization

/// Keeps every metric of the process and writes them out as OpenMetrics text.
///
/// It stands behind swift-metrics: handles are made once, by name and labels, and then cost an atomic addition. What
/// has the same name and labels is the same number. Families that were declared have help, unit and bounds; others
/// get their kind from the handle that was made first. A handle of another kind than its family counts for itself
/// and is not written.
package final class MetricsRegistry: MetricsFactory, Sendable {
    enum Cell: Sendable {
        case counter(CounterCell)
        case gauge(GaugeCell)
        case histogram(HistogramCell)
    }

    struct Family: Sendable {
        let declaration: MetricFamily
        var series: [[MetricLabel]: Cell] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        /// The order in which families are written.
        var names: [String] = []
    }

    private let state: Mutex<State>

    /// - Parameter families: written in this order, before those that nobody declared.
    package init(families: [MetricFamily] = []) {
        var initial = State()
        for family in families where initial.families[family.name] == nil {
            initial.families[family.name] = Family(declaration: family)
            initial.names.append(family.name)
        }
        state = Mutex(initial)
    }

    /// Everything as OpenMetrics text 1.0.0.
    package func text() -> String {
        let families = state.withLock { state in state.names.compactMap { state.families[$0] } }
        return OpenMetricsText.of(families)
    }

    /// Takes every line away that has this label with this value.
    package func remove(label: String, value: String) {
        let label = MetricLabel(name: MetricFamily.cleaned(label), value: value)
        removeSeries { labels, _ in labels.contains(label) }
    }

    // MARK: - MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate { histogram(label, dimensions) } else { gauge(label, dimensions) }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions)
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: - Cells

    private func counter(_ name: String, _ dimensions: [(String, String)]) -> CounterCell {
        guard case .counter(let cell) = cell(name, dimensions, .counter) else { return CounterCell() }
        return cell
    }

    private func gauge(_ name: String, _ dimensions: [(String, String)]) -> GaugeCell {
        guard case .gauge(let cell) = cell(name, dimensions, .gauge) else { return GaugeCell() }
        return cell
    }

    private func histogram(_ name: String, _ dimensions: [(String, String)]) -> HistogramCell {
        let kind = MetricFamily.Kind.histogram(bounds: MetricFamily.durationBounds)
        guard case .histogram(let cell) = cell(name, dimensions, kind) else {
            return HistogramCell(bounds: MetricFamily.durationBounds)
        }
        return cell
    }

    /// The cell of a name and its labels, made when it is not there.
    private func cell(_ name: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind) -> Cell {
        let name = MetricFamily.cleaned(name)
        let labels = dimensions.map { MetricLabel(name: MetricFamily.cleaned($0.0), value: $0.1) }
        return state.withLock { state in
            if state.families[name] == nil {
                state.families[name] = Family(declaration: MetricFamily(name, kind, help: ""))
                state.names.append(name)
            }
            let kind = state.families[name]?.declaration.kind ?? kind
            if let cell = state.families[name]?.series[labels] { return cell }
            let cell = Self.makeCell(kind)
            state.families[name]?.series[labels] = cell
            return cell
        }
    }

    private static func makeCell(_ kind: MetricFamily.Kind) -> Cell {
        switch kind {
        case .counter: .counter(CounterCell())
        case .gauge, .info: .gauge(GaugeCell())
        case .histogram(let bounds): .histogram(HistogramCell(bounds: bounds))
        }
    }

    /// Its line is gone; handles to it go on counting for themselves.
    private func remove(_ handler: any AnyObject) {
        removeSeries { _, cell in cell.is(handler) }
    }

    private func removeSeries(where isUnwanted: ([MetricLabel], Cell) -> Bool) {
        state.withLock { state in
            for (name, family) in state.families {
                state.families[name]?.series = family.series.filter { !isUnwanted($0.key, $0.value) }
            }
        }
    }
}

extension MetricsRegistry.Cell {
    fileprivate func `is`(_ handler: any AnyObject) -> Bool {
        switch self {
        case .counter(let cell): cell === handler
        case .gauge(let cell): cell === handler
        case .histogram(let cell): cell === handler
        }
    }
}
