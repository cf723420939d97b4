import Benchmarking
import FaceLLM
import Testing

@Suite struct EngineWorkTests {
    private let model: ModelConfiguration

    init() throws { model = try .oneB() }

    /// Counted by hand from the shapes.
    @Test func visionOfOneB() {
        let work = EngineWork.vision(model)
        let patches = 1024 * 588 * 1024
        let blocks = 24 * 12 * 1025 * 1024 * 1024
        let projector = 256 * (4096 * 896 + 896 * 896)
        let attention = 24 * 2 * 1025 * 1025 * 1024
        #expect(work.weightProducts == Double(patches + blocks + projector))
        #expect(work.attentionProducts == Double(attention))
        #expect((work.operations / 1e9).rounded() == 726)
        #expect(work.weightBytes == 0)
    }

    @Test func prefillOfOneB() {
        let work = EngineWork.prefill(model, tokens: 320)
        let weights = 320 * 357_826_560 + 135_899_904
        let attention = 24 * 320 * 321 * 896
        #expect(work.weightProducts == Double(weights))
        #expect(work.attentionProducts == Double(attention))
        #expect((work.operations / 1e9).rounded() == 234)
    }

    @Test func decodeOfOneB() {
        #expect(EngineWork.decodeWeights(model) == 357_826_560 + 135_899_904)
        let work = EngineWork.decode(model, context: 320, bytes: 987_452_928)
        #expect(work.weightBytes == 987_452_928)
        #expect(work.weightProducts == 493_726_464)
        let attention = 24 * 2 * 321 * 896
        #expect(work.attentionProducts == Double(attention))
    }

    /// A prompt costs what its tokens cost one by one, but for the head.
    @Test(arguments: [1, 2, 17]) func prefillIsDecodingOneByOne(tokens: Int) {
        let head = 151_674.0 * 896
        let single = (0..<tokens).map { EngineWork.decode(model, context: $0, bytes: 0) }
        let products: Double = single.map(\.weightProducts).reduce(0, +)
        let attention: Double = single.map(\.attentionProducts).reduce(0, +)
        let prompt = EngineWork.prefill(model, tokens: tokens)
        #expect(prompt.weightProducts == products - Double(tokens - 1) * head)
        #expect(prompt.attentionProducts == attention)
    }

    /// Key and value heads are fewer than query heads, and `headDim` is not always `hiddenSize / attentionHeads`.
    @Test func widthsAreTakenApart() {
        var other = model
        other.text.kvHeads = 14
        let difference = EngineWork.decodeWeights(other) - EngineWork.decodeWeights(model)
        let heads = 24 * 2 * 896 * 12 * 64
        #expect(difference == Double(heads))
        other = model
        other.text.headDim = 128
        let wider = EngineWork.decodeWeights(other) - EngineWork.decodeWeights(model)
        let columns = 24 * 2 * 896 * 16 * 64
        #expect(wider == Double(columns))
    }

    @Test func floorComputesAtTwoPeaks() {
        let limits = MachineLimits(
            float32OperationsPerSecond: 100,
            int8OperationsPerSecond: 400,
            readBytesPerSecond: 10
        )
        let work = EngineWork(weightProducts: 1000, attentionProducts: 50)
        #expect(work.floor(limits, .float32) == 20 + 1)
        #expect(work.floor(limits, .int8) == 5 + 1)
    }

    @Test func floorReadsWhereThatTakesLonger() {
        let limits = MachineLimits(
            float32OperationsPerSecond: 100,
            int8OperationsPerSecond: 400,
            readBytesPerSecond: 10
        )
        #expect(EngineWork(weightProducts: 50, attentionProducts: 0, weightBytes: 200).floor(limits, .float32) == 20)
        #expect(EngineWork(weightProducts: 5000, attentionProducts: 0, weightBytes: 200).floor(limits, .float32) == 100)
    }

    /// The floors that the fast phase of a two-core Cascade Lake gives, milliseconds.
    @Test func floorsOfOneB() {
        let limits = MachineLimits(
            float32OperationsPerSecond: 337e9,
            int8OperationsPerSecond: 1342e9,
            readBytesPerSecond: 25e9
        )
        func milliseconds(_ work: EngineWork, _ arithmetic: Arithmetic) -> Double {
            (work.floor(limits, arithmetic) * 1000).rounded()
        }
        #expect(milliseconds(.vision(model), .float32) == 2154)
        #expect(milliseconds(.vision(model), .int8) == 770)
        #expect(milliseconds(.prefill(model, tokens: 320), .float32) == 693)
        #expect(milliseconds(.decode(model, context: 320, bytes: 1_974_905_856), .float32) == 79)
        #expect(milliseconds(.decode(model, context: 320, bytes: 493_726_464), .int8) == 20)
    }
}
