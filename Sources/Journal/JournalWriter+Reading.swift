internal import Events

extension JournalWriter {
    /// Reads from the database, then from what waits to be written.
    func page(
        from position: ReplayPosition,
        through end: Cursor?,
        filter: EventFilter,
        maximumBytes: Int
    ) -> ReplayPage {
        drain()
        // Nobody else commits while this runs, so a line is either in the database or waits.
        let pending = inbox.pending()
        let instances = database?.instances ?? JournalInstances()
        let ordinal = database?.ordinal ?? JournalKey.unknownOrdinal

        var opening: LostLines?
        var start: JournalKey?
        if case .after(let cursor) = position {
            let known = cursor.instanceID == instanceID ? ordinal : instances.ordinal(of: cursor.instanceID)
            start = known.map { JournalKey(ordinal: $0, seq: cursor.seq) }
            if start == nil {
                opening = LostLines(database == nil ? .journalUnavailable : .cursorUnknown)
            }
        }
        var page = PageBuilder(start: start, instances: instances, filter: filter, maximumBytes: maximumBytes)
        if let opening { page.note(opening) }

        let endKey = end.map { JournalKey(ordinal: ordinal, seq: $0.seq) }
        var isAtEnd = true
        do {
            isAtEnd = try database?.fill(&page, through: endKey) ?? true
        } catch {
            // The reader goes on with what memory holds and is told what it misses.
            fail(JournalError(operation: .read, error, path: path))
        }
        if isAtEnd {
            for event in pending {
                let key = JournalKey(ordinal: ordinal, seq: event.cursor.seq)
                if let last = page.last, key <= last { continue }
                if let endKey, key > endKey { break }
                if page.isFull {
                    isAtEnd = false
                    break
                }
                page.take(event, ordinal: ordinal)
            }
        }
        if isAtEnd, let endKey { page.finish(through: endKey) }
        return page.page(isAtEnd: isAtEnd, ownInstance: instanceID)
    }

    /// The place behind the last line made before `time`.
    func position(before time: Timestamp) -> ReplayPosition {
        drain()
        do {
            guard let database, let key = try database.key(before: time),
                let id = database.instances.id(of: key.ordinal)
            else { return .oldest }
            return .after(Cursor(instanceID: id, seq: key.seq))
        } catch {
            fail(JournalError(operation: .read, error, path: path))
            return .oldest
        }
    }
}
