/// Keys and values of the tokens that a language model has seen, layer by layer.
///
/// A value: a copy is a fork, and the copy's storage is shared until one of the two is written.
package struct KVCache: Sendable {
    struct Layer: Sendable {
        var keys: Matrix  // [tokens, kvHeads · headDim], rotated
        var values: Matrix  // [tokens, kvHeads · headDim]
    }

    var layers: [Layer]
    /// Tokens that it may hold.
    package let capacity: Int

    init(configuration: ModelConfiguration.Text, capacity: Int) {
        let width = configuration.kvHeads * configuration.headDim
        layers = (0..<configuration.layers).map { _ in
            Layer(keys: Matrix(zeros: 0, width), values: Matrix(zeros: 0, width))
        }
        self.capacity = capacity
    }

    /// Tokens that it holds.
    package var count: Int { layers.first?.keys.rows ?? 0 }

    /// Forgets all tokens from `count` on.
    package mutating func roll(backTo count: Int) {
        precondition(count >= 0 && count <= self.count, "rolling \(self.count) tokens back to \(count)")
        for index in layers.indices {
            layers[index].keys = layers[index].keys.rows(0..<count)
            layers[index].values = layers[index].values.rows(0..<count)
        }
    }

    mutating func append(keys: Matrix, values: Matrix, toLayer index: Int) {
        func joined(_ old: Matrix, _ new: Matrix) -> Matrix {
            Matrix(rows: old.rows + new.rows, columns: new.columns, values: old.values + new.values)
        }
        layers[index].keys = joined(layers[index].keys, keys)
        layers[index].values = joined(layers[index].values, values)
    }
}
