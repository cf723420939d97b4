// From lines of the journal to what the page knows.

import { cut, limits, state, timeOf, words } from "./common.js";
import { changed } from "./viewer.js";

// A line of the journal, as text; the same for those of the last hour and those that come now.
export function take(text, cursor) {
  let event;
  try {
    event = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof event !== "object" || event === null || typeof event.type !== "string") return;
  if (cursor) state.cursor = cursor;
  remember(event, text);
  follow(event);
}

function remember(event, text) {
  if (event.type === "face.observation") return;
  const entry = { n: state.nextEntry++, time: timeOf(event), type: event.type, source: event.source ?? "", text, summary: cut(summary(event), 300) };
  state.entries.push(entry);
  state.entryBytes += text.length;
  prune();
  changed("timeline");
}

export function prune() {
  const oldest = Date.now() - limits.hour;
  let drop = 0, { entries, entryBytes } = state;
  while (drop < entries.length) {
    const entry = entries[drop];
    const isTooMany = entries.length - drop > limits.entries || entryBytes > limits.entryBytes;
    if (!isTooMany && entry.time >= oldest) break;
    entryBytes -= entry.text.length;
    drop += 1;
  }
  if (drop > 0) entries.splice(0, drop);
  state.entryBytes = entryBytes;
}

function summary(event) {
  const who = typeof event.track_id === "string" ? event.track_id : "";
  const face = event.expression?.label ? words(event.expression.label) : "";
  switch (event.type) {
    case "source.status": return [words(event.status ?? ""), words(event.reason ?? "")].filter(Boolean).join(": ");
    case "track.started": return [who, face || "came into view"].join(" ");
    case "track.updated": return [who, (event.changed ?? []).map(words).join(", "), face && `→ ${face}`].filter(Boolean).join(" ");
    case "track.ended": return [who, words(event.reason ?? "left"), event.observations ? `· ${event.observations} ${event.observations === 1 ? "look" : "looks"}` : ""].filter(Boolean).join(" ");
    case "face.analysis": return [who, event.description?.text ?? words(event.analysis?.status ?? "")].filter(Boolean).join(" ");
    case "gap": return [words(event.scope ?? ""), words(event.reason ?? ""), event.lost ? `${event.lost} lost` : ""].filter(Boolean).join(" · ");
    case "run.summary": return `end: ${words(event.exit_reason ?? "")}`;
    case "error": return `${words(event.code ?? "")}: ${event.message ?? ""}`;
    default: return "";
  }
}

function follow(event) {
  if (event.type === "source.status" && event.source) {
    if (event.video) state.sources.set(event.source, event.video);
    return;
  }
  if (typeof event.track_id !== "string" || !event.source) return;
  // Tracks of an earlier start of the daemon are over, told of or not.
  if (state.instance && event.instance_id !== state.instance) return;
  const key = `${event.source}/${event.track_id}`;
  let track = state.tracks.get(key);
  if (!track) {
    if (event.type === "track.ended" || event.type === "face.analysis") return;
    track = {
      key, source: event.source, id: event.track_id, began: timeOf(event), ended: null, segments: [],
      attributes: new Map(), expression: null, pose: null, sentence: null, waiting: false,
      shot: { url: null, version: 0, nextAt: 0, tries: 0 },
    };
    state.tracks.set(key, track);
    while (state.tracks.size > limits.tracks) drop(state.tracks.values().next().value);
  }
  if (event.type === "track.ended") {
    track.ended = timeOf(event);
    track.leftAt = Math.min(Date.now(), track.ended);
  }
  // A describer's answer is about a moment that lies a while back.
  const isNow = event.type === "track.started" || event.type === "track.updated";
  if (isNow && event.face?.pose) track.pose = event.face.pose;
  if (isNow && event.expression?.label) {
    track.expression = event.expression;
    const last = track.segments.at(-1);
    if (last?.label !== event.expression.label) track.segments.push({ time: timeOf(event), label: event.expression.label });
    if (track.segments.length > limits.segments) track.segments.splice(0, track.segments.length - limits.segments);
  }
  for (const [name, record] of Object.entries(event.attributes ?? {})) {
    if (track.attributes.has(name) || track.attributes.size < limits.attributes) track.attributes.set(name, record);
  }
  if (event.description?.text) {
    const isModel = event.description.method === "vlm";
    if (isModel || track.sentence?.method !== "vlm") {
      track.sentence = { text: cut(event.description.text, limits.sentence), method: event.description.method, time: timeOf(event) };
    }
  }
  if (event.type === "face.analysis") track.waiting = false;
  else if (event.analysis?.status === "queued") track.waiting = true;
  changed("faces");
}

export function drop(track) {
  state.tracks.delete(track.key);
  if (track.shot.url) URL.revokeObjectURL(track.shot.url);
  track.shot.url = null;
}
