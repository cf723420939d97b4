/// What the page says besides the tables.
extension EventReference {
    static let opening = """
        # Events: `facellm.events/1`

        What facellm writes, to a file and to whoever connects: one JSON object a line, UTF-8, at most 64 KiB, `\\n` at the \
        end and nowhere inside. Units are a part of the names. There is no NaN and no infinity: what was not measured is \
        absent. Fields and types are added and never given another meaning, so a reader passes over those that it does \
        not know.

        [Config/events.schema.json](../Config/events.schema.json) is the contract, in JSON Schema 2020-12; this page is \
        made from it, and a test keeps it so. `scripts/validate-events FILE` checks a file by the schema and by what a \
        schema cannot say: that `seq` has no holes, that every track ends, that the sums hold. \
        [examples/events.jsonl](examples/events.jsonl) has one line of each type as a daemon wrote it, which are shown \
        below. The language model behind them was [random noise](../README.md#facellm-models): its answers mean nothing.

        | lines | where |
        |---|---|
        | `source.status`, `track.started`, `track.updated`, `face.analysis`, `face.observation`, `track.ended`, `gap` of \
        media, `run.summary`, `error` | in files, in the journal, to subscribers |
        | `hello`, `heartbeat`, `reply`, `gap` of delivery, `error` about a request | to one connection, without `seq` and \
        `cursor` |

        **Stable lines** (`facellm analyze --stable`) leave out what differs between two runs over the same file: \
        `instance_id`, `cursor`, `published_at`, durations, and the time of arrival.

        **A track** is a face that was followed for a while. Its number is no identity: somebody who leaves and comes \
        back gets another one. `face.analysis` may come after the `track.ended` of its track where the source is live, \
        since nothing there waits for the language model.

        """

    static let envelope = "What every line has around the fields of its type."

    static var ledger: String {
        let sums = equations.map { "\($0.total) = \($0.parts.joined(separator: " + "))" }.joined(separator: "\n")
        return """

            ## The ledger's sums

            They hold at every moment, in `heartbeat` and in `run.summary`:

            ```
            \(sums)
            ```

            At the end nothing is pending, each `track.started` has had its `track.ended`, and `events_published` is the \
            `seq` of the last line.

            """
    }

    static let subscribing = """

        ## Subscribing

        Whoever connects to `events.sock` gets `hello` and then every line from that moment on. A client may send one \
        line first:

        ```json
        {"op": "subscribe", "request_id": 1, "since": "oldest", "types": ["track.started"], "sources": ["door"]}
        ```

        | field | meaning |
        |---|---|
        | `request_id` | a whole number or a text, comes back in `reply` |
        | `since` | `now` (default), `oldest`, or a cursor: on from the line behind it |
        | `types`, `sources` | only these; all without it |
        | `min_confidence` | 0 to 1: only faces of which the detector is at least so sure; lines without a face pass |
        | `on_overflow` | `drop_oldest` (default): a slow reader loses the oldest lines that wait for it and gets a `gap` with \
        their number; `disconnect`: it gets the `error` `slow_consumer`, and the connection ends |

        **Resuming.** Keep the `cursor` of the last line that was dealt with, and hand it back as `since`. It holds across \
        restarts of the daemon, as long as the journal keeps the lines. What cannot be delivered is told first, in a `gap` \
        of delivery:

        | reason | |
        |---|---|
        | `slow_consumer` | the reader was too slow for its queue |
        | `cursor_expired` | what followed the cursor is older than what the journal keeps; on from the oldest |
        | `cursor_unknown` | nothing is known of the cursor; on from the oldest |
        | `not_in_journal` | published, and not kept: the disk was full, say, or the lines were purged |
        | `journal_unavailable` | the journal cannot be read at present |

        The pipeline never waits for a reader. `facellm subscribe` does all this, and connects again by itself.

        """

    static let commanding = """

        ## Commanding

        `control.sock` takes one JSON object a line and answers each under its `request_id`: \
        `{"ok":true,"request_id":2,"result":{…}}`, or `{"error":{"code":…,"message":…},"ok":false,"request_id":2}`. These \
        lines are no events and have no envelope.

        | `op` | fields | as |
        |---|---|---|
        | `status` | | `facellm status --json` |
        | `sources.list` | | `facellm sources` |
        | `sources.add` | `source`: an object as in the [configuration](configuration.md#sources) | `facellm sources add` |
        | `sources.remove` | `source`: its name | `facellm sources remove` |
        | `pause`, `resume` | `source`: its name; all without it | `facellm pause`, `facellm resume` |
        | `reload` | | `facellm reload` |
        | `purge` | `before`: a time, `source`: a name, or both | `facellm purge` |

        """
}
