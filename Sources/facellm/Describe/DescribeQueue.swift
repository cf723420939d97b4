/// Faces that wait to be described together, and what went wrong between them, in the order of the command line.
struct DescribeQueue {
    enum Entry {
        case face(StillDescriber.Shown)
        case problem(any Error)
    }

    let facesTogether: Int
    private var entries: [Entry] = []
    private var faces = 0

    init(facesTogether: Int) {
        self.facesTogether = facesTogether
    }

    var isFull: Bool { faces >= facesTogether }

    mutating func add(_ entry: Entry) {
        if case .face = entry { faces += 1 }
        entries.append(entry)
    }

    mutating func removeAll() -> [Entry] {
        defer {
            entries = []
            faces = 0
        }
        return entries
    }
}
