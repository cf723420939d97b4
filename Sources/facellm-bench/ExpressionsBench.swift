import ArgumentParser
import Faces
import Foundation
import Imaging
import Video

/// `facellm-bench expressions`: how well expressions are told, and the fit of the head that tells them.
struct ExpressionsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expressions",
        abstract: "Cross-validates the expression head on labelled photographs; with --write, fits and saves it.",
        discussion: """
            The folder holds labels.tsv (label, tab, file name; a heading first) and images/. Each figure is of \
            photographs that the head at work had not seen. "By person" keeps all photographs of one person together; \
            it is the honest one of the two.
            """
    )

    @Argument(help: "The folder.")
    var folder: String

    @Option(help: "Random splits to average over.")
    var splits = 5

    @Option(
        help: ArgumentHelp(
            "Fits on everything and writes expression-head.json and face-template.json here.",
            valueName: "dir"
        )
    )
    var write: String?

    func run() async throws {
        let photographs = try LabelledPhotographs(folder: folder).photographs
        let environment = ProcessInfo.processInfo.environment
        let core = try InferenceCore(cacheFolder: InferenceCore.standardCacheFolder(environment: environment))
        let models = ModelFolder.standard(environment: environment)
        let finder = try PortraitFinder(core: core, models: models)
        let network = try ExpressionFeatures(core: core, models: models)

        var rows: [[Float]] = [], degraded: [[Float]] = []
        var labels: [Expression] = [], persons: [String] = []
        var meshes: [FaceMesh] = []
        for photograph in photographs {
            let picture = try await StillPicture.read(.file(photograph.path))
            let pyramid = Pyramid(picture)
            guard let mesh = try finder.mesh(in: pyramid) else { continue }
            rows.append(try network.features(of: mesh, in: pyramid))
            degraded.append(try network.features(of: mesh, in: pyramid, detail: 32))
            labels.append(photograph.label)
            persons.append(photograph.person)
            if mesh.presence > 10 { meshes.append(mesh) }
        }
        guard rows.count >= 50 else { throw LabelledPhotographs.Problem(description: "\(folder): too few photographs") }
        print("\(rows.count) of \(photographs.count) photographs, \(Set(persons).count) persons")

        var figures: [String: Double] = [:]
        for (name, isGrouped) in [("plain", false), ("by person", true)] {
            let results = try (1...max(1, splits)).map { seed in
                try crossValidate(rows, degraded, labels, persons: isGrouped ? persons : nil, seed: UInt64(seed))
            }
            report(name, results)
            let key = isGrouped ? "by_person" : "plain"
            figures["mean_recall_of_six_\(key)"] = mean(results.map(\.meanRecall))
            figures["expected_calibration_error_\(key)"] = mean(results.map(\.calibrationError))
        }
        let shipped = try ExpressionHead.standard()
        let own = CrossValidation.evaluate(rows.map(shipped.scores), labels)
        print(
            String(
                format: "\nthe head that is built in: mean recall %.3f, calibration error %.3f (it may have been "
                    + "fitted on these photographs)",
                own.meanRecall,
                own.calibrationError
            )
        )

        if let write {
            let head = try LogisticRegression().fit(rows: rows, degraded: degraded, labels: labels)
            let template = try TemplateFit.fit(meshes, old: FaceTemplate.standard())
            try head.json(figures: figures.mapValues { ($0 * 1000).rounded() / 1000 })
                .write(to: URL(fileURLWithPath: write + "/expression-head.json"), options: .atomic)
            try template.json().write(to: URL(fileURLWithPath: write + "/face-template.json"), options: .atomic)
            print("wrote \(write)/expression-head.json and face-template.json (mean of \(meshes.count) meshes)")
        }
    }

    private func crossValidate(
        _ rows: [[Float]],
        _ degraded: [[Float]],
        _ labels: [Expression],
        persons: [String]?,
        seed: UInt64
    ) throws -> CrossValidation.Result {
        let fold =
            persons.map { CrossValidation.split(labels, persons: $0, seed: seed) }
            ?? CrossValidation.split(labels, seed: seed)
        var scores = [ExpressionScores?](repeating: nil, count: rows.count)
        for held in 0..<CrossValidation.folds {
            let train = rows.indices.filter { fold[$0] != held }
            let head = try LogisticRegression().fit(
                rows: train.map { rows[$0] },
                degraded: train.map { degraded[$0] },
                labels: train.map { labels[$0] }
            )
            for row in rows.indices where fold[row] == held { scores[row] = head.scores(rows[row]) }
        }
        return CrossValidation.evaluate(scores.compactMap { $0 }, labels)
    }

    private func report(_ name: String, _ results: [CrossValidation.Result]) {
        let recalls = results.map(\.meanRecall)
        let average = mean(recalls)
        let deviation = mean(recalls.map { ($0 - average) * ($0 - average) }).squareRoot()
        print(
            String(
                format: "\n%@, %d-fold, %d splits: mean recall %.3f ± %.3f, accuracy %.3f, calibration error %.3f",
                name,
                CrossValidation.folds,
                results.count,
                average,
                deviation,
                mean(results.map(\.accuracy)),
                mean(results.map(\.calibrationError))
            )
        )
        for (index, entry) in results[0].recalls.enumerated() {
            print(
                "  " + entry.expression.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0)
                    + String(format: "recall %.2f of %d", mean(results.map { $0.recalls[index].recall }), entry.count)
            )
        }
    }

    private func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
}
