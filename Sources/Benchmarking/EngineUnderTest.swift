package import FaceLLM

/// An engine as the benchmark drives it.
///
/// What the pixels show and what the tokens say is up to the engine: the time does not depend on it. A call returns when
/// its result is there.
package protocol EngineUnderTest {
    var configuration: ModelConfiguration { get }
    /// How the vision tower and the projector compute.
    var visionArithmetic: Arithmetic { get }
    /// How the language model's layers compute where there are many tokens.
    var textArithmetic: Arithmetic { get }
    /// Bytes of weights that decoding one token reads, with the head and all scales.
    var bytesPerToken: Int { get }

    /// Encodes `batch` tiles of full size, projector included.
    mutating func encodeVision(batch: Int) throws
    /// Takes `tokens` tokens into an emptied cache and computes the logits of the last one.
    mutating func prefill(tokens: Int) throws
    /// Generates `tokens` tokens for each of `batch` sequences, side by side, all of them after the first `context`
    /// tokens of the cache, which an earlier `prefill` has filled.
    ///
    /// Going back to `context` must cost next to nothing. An end of text is passed over.
    mutating func decode(batch: Int, context: Int, tokens: Int) throws
}
