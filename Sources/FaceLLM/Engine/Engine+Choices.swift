internal import CKernels

/// How options are compared.
package struct ChoiceOptions: Sendable, Hashable {
    package var normalization = ChoiceScores.Normalization.meanPerToken
    /// Takes away what the model would prefer without a picture.
    package var isCalibrated = false
    package var temperature = 1.0

    package init() {}
}

/// Sequences whose scores without a picture are known.
struct BaselineKey: Hashable {
    let prefix: ChatPrompt
    let sequences: [TokenTree.Sequence]
    let grids: [TileGrid]
}

extension Engine {
    /// How probable each of some answers is, given that one of them is right.
    ///
    /// The options are walked as one token tree over the computed pictures: nothing is sampled, and nothing but the
    /// options can come out.
    ///
    /// - Parameters:
    ///   - messages: the question with the pictures' places; `PromptBuilder` makes them.
    ///   - answers: as the model would write them, at least one.
    ///   - pictures: in the order of their places.
    package func choose(
        _ messages: [ChatMessage],
        answers: [String],
        pictures: [PixelTiles],
        options: ChoiceOptions = ChoiceOptions(),
        stop: StopCondition = StopCondition()
    ) throws(EngineError) -> (scores: ChoiceScores, timings: EngineTimings) {
        let run = Run(stop: stop)
        let (prefix, question) = builder.prompt(messages).splitAfterImages
        var sequences: [TokenTree.Sequence] = []
        do throws(ChatPromptError) {
            let asked = try tokenizer.encode(question, tiles: [], tokensPerTile: 1)
            for answer in answers {
                let whole = builder.prompt(messages, answer: answer).splitAfterImages.rest
                let tokens = try tokenizer.encode(whole, tiles: [], tokensPerTile: 1)
                // The line break before an answer may become one token with it.
                let context = zip(asked, tokens).prefix { $0 == $1 }.count
                sequences.append(TokenTree.Sequence(tokens, contextCount: min(context, asked.count)))
            }
        } catch {
            throw EngineError(.buildPrompt, reason: error.description)
        }
        let scored = try score(sequences, after: prefix, pictures: pictures, run: run)
        let baseline =
            options.isCalibrated ? try self.baseline(sequences, after: prefix, pictures: pictures, run: run) : nil
        do throws(ChoiceError) {
            let scores = try ChoiceScores(
                scored,
                baseline: baseline,
                normalization: options.normalization,
                temperature: options.temperature
            )
            return (scores, run.finish())
        } catch {
            throw EngineError(.buildPrompt, reason: error.description)
        }
    }

    /// The log-probability of each sequence behind a prompt that ends with its last picture.
    func score(
        _ sequences: [TokenTree.Sequence],
        after prefix: ChatPrompt,
        pictures: [PixelTiles],
        run: Run
    ) throws(EngineError) -> [ChoiceScores.Option] {
        let prepared = try prepare(prefix, pictures: pictures, run: run)
        let vocabulary = checkpoint.configuration.text.vocabularySize
        guard sequences.allSatisfy({ $0.contextCount > 0 && $0.tokens.allSatisfy { $0 < vocabulary } }) else {
            throw EngineError(.buildPrompt, reason: "an option has tokens beyond the model's vocabulary")
        }
        let room = min(options.contextLimit, checkpoint.configuration.text.maxPositions) - prepared.ids.count
        var results = [ChoiceScores.Option?](repeating: nil, count: sequences.count)
        do throws(ChoiceError) {
            for chunk in try TokenTree.chunks(sequences, maxNodes: min(Self.treeLimit, room)) {
                run.timings.inputTokens += chunk.tree.nodes.count
                guard let options = score(chunk.tree, after: prepared.cache, run: run) else { break }
                for (index, option) in zip(chunk.sequences, options) { results[index] = option }
            }
        } catch {
            throw EngineError(.buildPrompt, reason: error.description)
        }
        let complete = results.compactMap { $0 }
        guard complete.count == sequences.count else { throw run.interruption }
        return complete
    }

    /// Nodes of a tree at most: the marks of who sees whom grow with the square.
    private static let treeLimit = 768
    /// Rows of logits at once: 0.6 MB each for the published models.
    private static let logitRows = 16

    /// - Returns: by the order of the tree's paths; nil if interrupted.
    private func score(_ tree: TokenTree, after prefix: KVCache, run: Run) -> [ChoiceScores.Option]? {
        let began = ContinuousClock.now
        defer { run.timings.prefill += ContinuousClock.now - began }
        let language = model.language
        let inner = tree.nodes.prefix(tree.innerCount)
        // The logits of which nodes are needed, and for which tokens.
        var wanted: [Int: [TokenID]] = [:]
        for path in tree.paths {
            for (predictor, node) in zip(path.predictors, path.scored) {
                wanted[predictor, default: []].append(tree.nodes[node].token)
            }
        }
        let rows = wanted.keys.sorted()
        precondition(rows.first.map { $0 >= 0 } ?? true, "options follow the beginning of an answer")
        var cache = prefix
        let branches = LanguageModel.Branches(
            depths: inner.map(\.depth),
            visible: tree.visibility(first: tree.innerCount)
        )
        guard
            let hidden = language.forward(
                language.embed(inner.map { Int($0.token) }),
                branches: branches,
                cache: &cache,
                wanted: rows,
                isCancelled: { run.mustStop }
            )
        else { return nil }
        var logProbabilities: [Int: [TokenID: Double]] = [:]
        for start in stride(from: 0, to: rows.count, by: Self.logitRows) {
            if run.mustStop { return nil }
            let part = start..<min(rows.count, start + Self.logitRows)
            language.withLogits(hidden.rows(part)) { logits in
                let vocabulary = language.configuration.vocabularySize
                var sums = [Float](repeating: 0, count: part.count)
                ck_log_sum_exp(model.pool.handle, &sums, logits, part.count, vocabulary)
                for (place, row) in part.enumerated() {
                    var found: [TokenID: Double] = [:]
                    for token in wanted[rows[row]] ?? [] {
                        found[token] = Double(logits[place * vocabulary + Int(token)]) - Double(sums[place])
                    }
                    logProbabilities[rows[row]] = found
                }
            }
        }
        return tree.paths.map { path in
            var sum = 0.0
            for (predictor, node) in zip(path.predictors, path.scored) {
                sum += logProbabilities[predictor]?[tree.nodes[node].token] ?? -.infinity
            }
            return ChoiceScores.Option(logProbability: sum, tokens: path.scored.count)
        }
    }

    /// The scores of the same sequences for pictures without content: the mean colour everywhere.
    func baseline(
        _ sequences: [TokenTree.Sequence],
        after prefix: ChatPrompt,
        pictures: [PixelTiles],
        run: Run
    ) throws(EngineError) -> [ChoiceScores.Option] {
        let key = BaselineKey(prefix: prefix, sequences: sequences, grids: pictures.map(\.grid))
        if let known = baselines.value(of: key) { return known }
        let scored = try score(sequences, after: prefix, pictures: pictures.map(\.emptied), run: run)
        baselines.insert(scored, bytes: scored.count * MemoryLayout<ChoiceScores.Option>.stride, for: key)
        return scored
    }
}
