// The stream of events, what was before it, and what to do when it breaks.

import { $, clock, set, state, types } from "./common.js";
import { drop, take } from "./events.js";
import { changed } from "./viewer.js";

export async function begin() {
  try {
    const status = await fetch("api/status", { cache: "no-store" });
    if (status.status === 401) return locked();
    if (!status.ok) throw new Error(`status ${status.status}`);
    takeStatus(await status.json());
    const history = await fetch(`api/history?seconds=3600&types=${types.join(",")}`, { cache: "no-store" });
    if (!history.ok) throw new Error(`history ${history.status}`);
    const text = await history.text();
    for (const line of text.split("\n")) if (line) take(line, null);
    state.cursor = history.headers.get("X-Facellm-Cursor");
    listen();
  } catch {
    lose("connecting");
    state.retryTimer = setTimeout(begin, pause());
  }
}

function locked() {
  state.link = "lost";
  set($("lost"), "This daemon wants a token: open this page as …/?token=TOKEN once.");
  $("lost").hidden = false;
  changed("link");
}

function listen() {
  state.stream?.close();
  const since = state.cursor ? `&since=${encodeURIComponent(state.cursor)}` : "";
  const stream = new EventSource(`api/events?types=${types.join(",")}${since}`);
  state.stream = stream;
  state.heardAt = Date.now();
  const on = (name, body) => stream.addEventListener(name, (message) => {
    if (state.stream !== stream) return;
    state.heardAt = Date.now();
    state.retry = 0;
    if (state.link !== "live") find();
    body(message);
  });
  on("message", (message) => take(message.data, message.lastEventId || null));
  on("gap", (message) => take(message.data, null));
  on("hello", (message) => takeHello(JSON.parse(message.data)));
  on("viewer", (message) => { state.pictures = JSON.parse(message.data).pictures; });
  on("status", (message) => takeStatus(JSON.parse(message.data)));
  stream.onerror = () => { if (state.stream === stream) reconnect(); };
}

export function reconnect() {
  state.stream?.close();
  state.stream = null;
  lose("lost");
  clearTimeout(state.retryTimer);
  state.retryTimer = setTimeout(state.status ? listen : begin, pause());
}

// Half a second, then longer and longer up to 5 s.
function pause() {
  state.retry += 1;
  return Math.min(5000, 500 * state.retry);
}

function find() {
  state.link = "live";
  state.lostAt = null;
  $("lost").hidden = true;
  changed("link", "sources");
}

function lose(link) {
  if (state.link === "lost" || state.link === link) return;
  state.link = link;
  state.lostAt = Date.now();
  if (link === "lost") {
    set($("lost"), `The daemon does not answer since ${clock.format(state.lostAt)}. What you see is from then; trying again …`);
    $("lost").hidden = false;
  }
  changed("link", "sources");
}

function takeHello(hello) {
  if (hello.instance_id !== state.instance) takeInstance(hello.instance_id);
}

function takeInstance(instance) {
  state.instance = instance;
  for (const track of [...state.tracks.values()]) drop(track);
  for (const tile of state.tiles.values()) Object.assign(tile, { picture: 0, faces: [], bitmap: null });
  changed("faces", "sources");
}

function takeStatus(status) {
  if (status.instance_id !== state.instance) takeInstance(status.instance_id);
  state.status = status;
  state.statusAt = Date.now();
  changed("sources", "machine", "faces", "link");
}
