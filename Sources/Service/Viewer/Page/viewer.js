// Shows what the daemon's events tell. Everything that comes from outside is set as text, never as markup.
// Whatever grows has a bound here, so that the page can stay open for weeks.

const limits = {
  hour: 3600_000,
  entries: 3000,
  entryBytes: 6_000_000,
  rows: 20,
  cards: 24,
  tracks: 200,
  segments: 240,
  ribbon: 600_000,
  goneCard: 12_000,
  attributes: 40,
  sentence: 600,
};
const silence = 9000; // The daemon says something every 2 s.
const types = ["source.status", "track.started", "track.updated", "face.analysis", "track.ended", "gap", "run.summary", "error"];
const expressions = ["neutral", "happy", "sad", "surprised", "fearful", "disgusted", "angry", "contemptuous"];
const boxColors = ["#5ad1ff", "#ffd166", "#8cff98", "#ff9bd2", "#c7b3ff", "#ffab7a", "#7df0e0", "#f4f4f4"];

const $ = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const number = new Intl.NumberFormat("en-GB");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

const state = {
  instance: null,
  cursor: null,
  link: "connecting",
  lostAt: null,
  heardAt: 0,
  status: null,
  statusAt: 0,
  pictures: "clear",
  entries: [],
  entryBytes: 0,
  nextEntry: 1,
  tracks: new Map(),
  tiles: new Map(),
  sources: new Map(), // What source.status told of the video, by name.
  filter: { source: "", types: new Set(types) },
  page: 0,
  anchor: Infinity,
  stream: null,
  retry: 0,
  retryTimer: 0,
};

// ---- Words

function set(element, text) {
  const words = text === undefined || text === null ? "" : String(text);
  if (element.textContent !== words) element.textContent = words;
}

function put(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

const words = (text) => String(text).replaceAll("_", " ");
const percent = (value) => (typeof value === "number" ? `${Math.round(value * 100)} %` : "");
const signed = (value) => `${value < 0 ? "−" : ""}${Math.abs(Math.round(value))}°`;
const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} days`;
}

function bytes(count) {
  if (!Number.isFinite(count)) return "";
  if (count < 1_000_000) return `${Math.round(count / 1000)} kB`;
  return `${(count / 1_000_000).toFixed(count < 1e8 ? 1 : 0)} MB`;
}

function timeOf(event) {
  const time = Date.parse(event.time ?? event.published_at ?? "");
  return Number.isFinite(time) ? time : Date.now();
}

// ---- Events

// A line of the journal, as text; the same for those of the last hour and those that come now.
function take(text, cursor) {
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

function prune() {
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
    case "track.ended": return [who, words(event.reason ?? "left"), event.observations ? `· ${event.observations} looks` : ""].filter(Boolean).join(" ");
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

function drop(track) {
  state.tracks.delete(track.key);
  if (track.shot.url) URL.revokeObjectURL(track.shot.url);
  track.shot.url = null;
}

// ---- Connection

async function begin() {
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

function reconnect() {
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

// ---- Pictures

const watched = new IntersectionObserver((changes) => {
  for (const change of changes) {
    const tile = [...state.tiles.values()].find((tile) => tile.element === change.target);
    if (tile) tile.isVisible = change.isIntersecting;
  }
}, { rootMargin: "100px" });

async function look() {
  if (document.visibilityState !== "visible" || state.link !== "live") return;
  const now = Date.now();
  for (const tile of state.tiles.values()) {
    if (tile.isVisible && !tile.isAsking && now - tile.askedAt >= (calm.matches ? 2900 : 900)) askPicture(tile);
  }
  let asked = 0;
  for (const track of shownTracks()) {
    if (asked < 4 && !track.ended && state.pictures === "clear" && now >= track.shot.nextAt) {
      asked += 1;
      askShot(track);
    }
  }
}

async function askPicture(tile) {
  tile.isAsking = true;
  tile.askedAt = Date.now();
  try {
    const answer = await fetch(`api/preview/${encodeURIComponent(tile.name)}.jpg?after=${tile.picture}`, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (answer.status !== 200 && answer.status !== 204) return;
    const picture = Number(answer.headers.get("X-Facellm-Picture"));
    if (!picture || picture === tile.picture) return;
    const bitmap = answer.status === 200 ? await createImageBitmap(await answer.blob()) : null;
    tile.bitmap?.close();
    tile.bitmap = bitmap;
    tile.picture = picture;
    tile.pictureAt = Date.now();
    tile.faces = JSON.parse(answer.headers.get("X-Facellm-Faces") || "[]");
    for (const face of tile.faces) {
      const track = face.id && state.tracks.get(`${tile.name}/${face.id}`);
      if (track && face.pose) track.pose = { yaw_deg: face.pose[0], pitch_deg: face.pose[1], roll_deg: face.pose[2] };
    }
    drawTile(tile);
  } catch {
    // The next look asks again; that the daemon is gone, the stream of events tells.
  } finally {
    tile.isAsking = false;
  }
}

async function askShot(track) {
  const shot = track.shot;
  shot.tries += 1;
  shot.nextAt = Date.now() + Math.min(15_000, 1000 * shot.tries);
  try {
    const path = `api/shots/${encodeURIComponent(track.source)}/${encodeURIComponent(track.id)}.jpg?after=${shot.version}`;
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (answer.status !== 200 || state.tracks.get(track.key) !== track) return;
    const url = URL.createObjectURL(await answer.blob());
    if (shot.url) URL.revokeObjectURL(shot.url);
    shot.url = url;
    shot.version = Number(answer.headers.get("X-Facellm-Picture")) || 0;
    changed("faces");
  } catch {
    // Asked again later.
  }
}

function prepare(canvas) {
  const ratio = Math.min(3, devicePixelRatio || 1);
  const box = canvas.getBoundingClientRect();
  const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, box.width, box.height);
  return { context, width: box.width, height: box.height };
}

function drawTile(tile) {
  const { context, width, height } = prepare(tile.canvas);
  const video = tile.bitmap ?? state.sources.get(tile.name);
  const [w, h] = tile.bitmap ? [tile.bitmap.width, tile.bitmap.height] : [video?.width_px || 16, video?.height_px || 9];
  const scale = Math.min(width / w, height / h);
  const frame = { x: (width - w * scale) / 2, y: (height - h * scale) / 2, w: w * scale, h: h * scale };
  if (tile.bitmap) context.drawImage(tile.bitmap, frame.x, frame.y, frame.w, frame.h);
  for (const face of tile.faces) drawFace(context, face, frame);
  const named = tile.faces.map((face) => [face.id, face.label && words(face.label)].filter(Boolean).join(" ") || "a face");
  put(tile.canvas, "aria-label", `${tile.name}: ${named.length ? named.join(", ") : "no face"}`);
  tile.note.hidden = tile.picture > 0 && state.pictures !== "none";
  if (state.pictures === "none") set(tile.note, tile.faces.length ? "" : "Pictures are switched off");
}

function drawFace(context, face, frame) {
  const [left, top, width, height] = face.box;
  const box = { x: frame.x + left * frame.w, y: frame.y + top * frame.h, w: width * frame.w, h: height * frame.h };
  const color = face.id ? boxColors[(parseInt(face.id.slice(1), 10) || 0) % boxColors.length] : "#d0d0d0";
  context.lineWidth = 4;
  context.strokeStyle = "rgb(0 0 0 / .55)";
  context.strokeRect(box.x, box.y, box.w, box.h);
  context.lineWidth = 2;
  context.strokeStyle = color;
  context.strokeRect(box.x, box.y, box.w, box.h);
  if (face.pose) drawAxes(context, face.pose, box.x + box.w / 2, box.y + box.h / 2, box.w * 0.45, 2);
  const label = [face.id, face.label && words(face.label)].filter(Boolean).join(" ");
  if (!label) return;
  context.font = "600 12px system-ui, sans-serif";
  const wide = context.measureText(label).width + 10;
  const x = Math.max(frame.x, Math.min(box.x - 1, frame.x + frame.w - wide)), y = box.y >= 19 ? box.y - 19 : box.y + box.h + 1;
  context.fillStyle = color;
  context.fillRect(x, y, wide, 18);
  context.fillStyle = "#101010";
  context.fillText(label, x + 5, y + 13);
}

// The head's own axes as the picture shows them: red to the side, green up, blue where it looks.
// Yaw > 0 turns to the right edge, pitch > 0 looks up, roll > 0 tilts clockwise.
function drawAxes(context, [yawDegrees, pitchDegrees, rollDegrees], x, y, length, width) {
  const [yaw, pitch, roll] = [yawDegrees, pitchDegrees, rollDegrees].map((degrees) => degrees * Math.PI / 180);
  // The head is rolled about its own nose first, then pitched, then yawed; seen from the front, without perspective.
  const shown = (a, b) => [a * Math.cos(yaw) + b * Math.sin(pitch) * Math.sin(yaw), b * Math.cos(pitch)];
  const axes = [
    ["#ff6b6b", shown(Math.cos(roll), Math.sin(roll))],
    ["#7bed7b", shown(Math.sin(roll), -Math.cos(roll))],
    ["#6fb1ff", [Math.sin(yaw) * Math.cos(pitch), -Math.sin(pitch)]],
  ];
  context.lineCap = "round";
  for (const [color, [dx, dy]] of axes) {
    for (const [stroke, wide] of [["rgb(0 0 0 / .5)", width + 2], [color, width]]) {
      context.strokeStyle = stroke;
      context.lineWidth = wide;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + dx * length, y + dy * length);
      context.stroke();
    }
  }
}

// ---- Drawing the page

const dirty = new Set();
let drawing = 0;

function changed(...parts) {
  for (const part of parts) dirty.add(part);
  if (!drawing && document.visibilityState === "visible") drawing = setTimeout(draw, 200);
}

const painters = { link: drawLink, sources: drawSources, faces: drawFaces, timeline: drawTimeline, machine: drawMachine };

function draw() {
  drawing = 0;
  for (const part of [...dirty]) {
    dirty.delete(part);
    painters[part]();
  }
}

function drawLink() {
  put($("link"), "data-state", state.link);
  const text = { live: "Live", connecting: "Connecting …", lost: "Daemon gone" }[state.link];
  set($("link-text"), text);
  document.title = state.link === "lost" ? "✕ facellm" : "facellm";
}

function clone(template) {
  return $(template).content.firstElementChild.cloneNode(true);
}

function describe(list, pairs) {
  while (list.children.length > pairs.length) list.lastElementChild.remove();
  while (list.children.length < pairs.length) {
    const pair = document.createElement("div");
    pair.append(document.createElement("dt"), document.createElement("dd"));
    list.append(pair);
  }
  pairs.forEach(([term, value], index) => {
    set(list.children[index].firstElementChild, term);
    set(list.children[index].lastElementChild, value);
  });
}

function drawSources() {
  const sources = state.status?.sources ?? [];
  const names = new Set(sources.map((source) => source.name));
  for (const [name, tile] of state.tiles) {
    if (names.has(name)) continue;
    watched.unobserve(tile.element);
    tile.bitmap?.close();
    tile.element.remove();
    state.tiles.delete(name);
    state.sources.delete(name);
  }
  for (const source of sources) {
    let tile = state.tiles.get(source.name);
    if (!tile) {
      const element = clone("tile");
      tile = {
        name: source.name, element, canvas: element.querySelector("canvas"), note: element.querySelector(".no-picture"),
        isVisible: false, isAsking: false, askedAt: 0, picture: 0, pictureAt: 0, faces: [], bitmap: null,
      };
      set(element.querySelector("h3"), source.name);
      put(tile.canvas, "aria-label", source.name);
      state.tiles.set(source.name, tile);
      $("tiles").append(element);
      watched.observe(element);
    }
    const isGone = state.link === "lost";
    const isStale = isGone || source.status !== "online";
    put(tile.element, "data-stale", isStale ? "" : null);
    const label = tile.element.querySelector(".state");
    put(label, "data-state", isGone ? "gone" : source.status);
    const reason = source.status === "online" || !source.reason ? "" : ` · ${words(source.reason)}`;
    const attempt = source.attempt > 1 ? ` (${source.attempt})` : "";
    set(label, isGone ? "daemon gone" : `${words(source.status)}${reason}${attempt}`);
    describe(tile.element.querySelector(".numbers"), [
      ["Looks", typeof source.fps === "number" ? `${source.fps.toFixed(1)} /s` : "–"],
      ["Lag", typeof source.lag_s === "number" ? `${source.lag_s.toFixed(source.lag_s < 10 ? 2 : 0)} s` : "–"],
      ["Faces", number.format(source.faces ?? 0)],
      ["Dropped", number.format(source.frames_dropped ?? 0)],
    ]);
    // Faces that were there a while ago are not drawn as if they were there now.
    if (isStale && tile.faces.length) tile.faces = [];
    drawTile(tile);
  }
  $("no-sources").hidden = sources.length > 0 || !state.status;
  drawSourceFilter();
}

function shownTracks() {
  const now = Date.now();
  for (const track of [...state.tracks.values()]) {
    if (track.ended && now - track.leftAt > limits.goneCard) drop(track);
  }
  return [...state.tracks.values()]
    .sort((a, b) => (a.ended ? 1 : 0) - (b.ended ? 1 : 0) || b.began - a.began)
    .slice(0, limits.cards);
}

const cards = [];

function drawFaces() {
  const tracks = shownTracks();
  const present = [...state.tracks.values()].filter((track) => !track.ended).length;
  set($("faces-count"), present ? String(present) : "");
  $("no-faces").hidden = tracks.length > 0;
  $("more-faces").hidden = state.tracks.size <= limits.cards;
  set($("more-faces"), `and ${state.tracks.size - tracks.length} more`);
  while (cards.length < tracks.length) {
    const element = clone("card");
    const part = (selector) => element.querySelector(selector);
    cards.push({
      element, title: part("h3"), image: part("img"), expression: part(".expression"), ribbon: part(".ribbon"),
      sentence: part(".sentence"), dial: part(".dial canvas"), angles: part(".angles"), attributes: part(".attributes"),
    });
    $("cards").append(element);
  }
  cards.forEach((card, index) => {
    const track = tracks[index];
    card.element.hidden = !track;
    if (track) drawCard(card, track);
    else card.image.removeAttribute("src");
  });
}

function mark(parent, text, note) {
  // Two text nodes, made once: words and, smaller, where they come from.
  if (!parent.lastElementChild) parent.append(document.createElement("span"), document.createElement("small"));
  set(parent.firstElementChild, text);
  set(parent.lastElementChild, note ? ` ${note}` : "");
}

function drawCard(card, track) {
  put(card.element, "data-gone", track.ended ? "" : null);
  const seconds = ((track.ended ?? Math.max(Date.now(), track.began)) - track.began) / 1000;
  set(card.title, `${track.source} · ${track.id} · ${track.ended ? "left after" : "for"} ${duration(seconds)}`);
  if (track.shot.url) put(card.image, "src", track.shot.url);
  else card.image.removeAttribute("src");
  card.image.hidden = !track.shot.url;
  card.image.alt = track.shot.url ? `Best picture of ${track.id}` : "";
  const expression = track.expression;
  mark(
    card.expression,
    expression ? words(expression.label) : "expression not known",
    expression ? [percent(expression.confidence), expression.method].filter(Boolean).join(" · ") : "",
  );
  mark(
    card.sentence,
    track.sentence ? track.sentence.text : "",
    track.sentence?.method === "vlm" ? `FaceLLM, ${clock.format(track.sentence.time)}` : track.waiting ? "FaceLLM is being asked …" : "",
  );
  drawRibbon(card.ribbon, track);
  drawDial(card.dial, track.pose);
  const pose = track.pose;
  set(card.angles, pose ? `yaw ${signed(pose.yaw_deg)}\npitch ${signed(pose.pitch_deg)}\nroll ${signed(pose.roll_deg)}` : "");
  drawAttributes(card.attributes, track.attributes);
}

function drawAttributes(list, attributes) {
  while (list.children.length > attributes.size) list.lastElementChild.remove();
  while (list.children.length < attributes.size) {
    const item = document.createElement("li");
    item.append(document.createElement("span"), " ", document.createElement("b"), " ", document.createElement("small"));
    list.append(item);
  }
  let index = 0;
  for (const [name, record] of attributes) {
    const [label, value, origin] = list.children[index++].children;
    set(label, words(name));
    set(value, cut(words(record?.value ?? ""), 80));
    set(origin, [percent(record?.confidence), record?.method].filter(Boolean).join(" · "));
  }
}

const styles = getComputedStyle(document.documentElement);
const color = (name) => styles.getPropertyValue(`--${name}`).trim() || "#888";

function drawRibbon(canvas, track) {
  const { context, width, height } = prepare(canvas);
  const end = track.ended ?? Date.now();
  const start = Math.max(track.began, end - limits.ribbon);
  const span = Math.max(1000, end - start);
  const shares = new Map();
  track.segments.forEach((segment, index) => {
    const from = Math.max(start, segment.time);
    const to = Math.min(end, track.segments[index + 1]?.time ?? end);
    if (to <= from) return;
    shares.set(segment.label, (shares.get(segment.label) ?? 0) + to - from);
    context.fillStyle = color(expressions.includes(segment.label) ? segment.label : "neutral");
    context.fillRect(((from - start) / span) * width, 0, Math.max(1, ((to - from) / span) * width), height);
  });
  const told = [...shares].sort((a, b) => b[1] - a[1]).map(([label, time]) => `${words(label)} ${percent(time / span)}`);
  const text = told.length ? `Expression over ${duration(span / 1000)}: ${told.join(", ")}` : "No expression yet";
  put(canvas, "aria-label", text);
  put(canvas, "title", text);
}

function drawDial(canvas, pose) {
  const { context, width, height } = prepare(canvas);
  const [x, y, r] = [width / 2, height / 2, width / 2 - 3];
  context.lineWidth = 1;
  context.strokeStyle = color("soft");
  for (const part of [1, 0.5]) {
    context.beginPath();
    context.arc(x, y, r * part, 0, 2 * Math.PI);
    context.stroke();
  }
  put(canvas, "aria-label", pose ? "Where the head points" : "Direction of the head not known");
  if (!pose) return;
  // The rim stands for 60 degrees; the dot is where the head points, the bar how it tilts.
  const reach = (degrees) => Math.max(-1, Math.min(1, degrees / 60)) * r;
  let [px, py] = [reach(pose.yaw_deg), -reach(pose.pitch_deg)];
  const far = Math.hypot(px, py);
  if (far > r) [px, py] = [px * r / far, py * r / far];
  context.strokeStyle = color("accent");
  context.fillStyle = color("accent");
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + px, y + py);
  context.stroke();
  const roll = pose.roll_deg * Math.PI / 180;
  context.beginPath();
  context.moveTo(x + px - 10 * Math.cos(roll), y + py - 10 * Math.sin(roll));
  context.lineTo(x + px + 10 * Math.cos(roll), y + py + 10 * Math.sin(roll));
  context.stroke();
  context.beginPath();
  context.arc(x + px, y + py, 4, 0, 2 * Math.PI);
  context.fill();
}

// ---- Timeline

const rows = [];

function makeLegend() {
  for (const label of expressions) {
    const item = document.createElement("li");
    item.dataset.label = label;
    set(item, label);
    $("legend").append(item);
  }
}

function makeFilters() {
  for (const type of types) {
    const chip = document.createElement("label");
    chip.className = "chip";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.value = type;
    box.addEventListener("change", () => {
      if (box.checked) state.filter.types.add(type);
      else state.filter.types.delete(type);
      firstPage();
    });
    chip.append(box, type);
    $("filter-types").append(chip);
  }
  $("filter-source").addEventListener("change", (event) => {
    state.filter.source = event.target.value;
    firstPage();
  });
  $("older").addEventListener("click", () => {
    if (state.page === 0) state.anchor = state.entries.at(-1)?.n ?? Infinity;
    state.page += 1;
    drawTimeline(true);
  });
  $("newer").addEventListener("click", () => {
    state.page = Math.max(0, state.page - 1);
    if (state.page === 0) state.anchor = Infinity;
    drawTimeline(true);
  });
}

function firstPage() {
  state.page = 0;
  state.anchor = Infinity;
  drawTimeline(true);
}

function drawSourceFilter() {
  const select = $("filter-source");
  const wanted = ["", ...(state.status?.sources ?? []).map((source) => source.name)];
  if (state.filter.source && !wanted.includes(state.filter.source)) wanted.push(state.filter.source);
  while (select.options.length > wanted.length) select.lastElementChild.remove();
  while (select.options.length < wanted.length) select.append(document.createElement("option"));
  wanted.forEach((name, index) => {
    set(select.options[index], name || "all");
    select.options[index].value = name;
  });
  if (select.value !== state.filter.source) select.value = state.filter.source;
}

function drawTimeline(isAsked) {
  prune();
  const { source, types } = state.filter;
  // Errors that belong to no source concern all of them.
  const admitted = state.entries.filter((entry) =>
    types.has(entry.type) && (!source || entry.source === source || !entry.source));
  set($("timeline-count"), number.format(admitted.length));
  drawDensity(admitted);
  const list = $("entries");
  // Nothing moves away under the pointer or the keyboard.
  if (isAsked !== true && list.matches(":hover, :focus-within")) {
    set($("page-text"), "held while you point at it");
    return;
  }
  const shown = admitted.filter((entry) => entry.n <= state.anchor).reverse();
  const pages = Math.max(1, Math.ceil(shown.length / limits.rows));
  state.page = Math.min(state.page, pages - 1);
  const part = shown.slice(state.page * limits.rows, (state.page + 1) * limits.rows);
  while (rows.length < part.length) rows.push(makeRow());
  rows.forEach((row, index) => {
    const entry = part[index];
    row.entry = entry;
    if (!entry) return row.item.remove();
    if (row.item.parentNode !== list) list.append(row.item);
    put(row.button, "data-kind", entry.type);
    set(row.when, clock.format(entry.time));
    set(row.kind, entry.type);
    set(row.where, entry.source);
    set(row.what, entry.summary);
  });
  $("no-entries").hidden = part.length > 0;
  $("newer").disabled = state.page === 0;
  $("older").disabled = state.page >= pages - 1;
  set($("page-text"), `${state.page + 1} of ${pages}`);
}

function makeRow() {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "entry";
  const row = { item, button, entry: null };
  for (const name of ["when", "kind", "where", "what"]) {
    row[name] = document.createElement("span");
    row[name].className = name;
    button.append(row[name]);
  }
  button.addEventListener("click", () => show(row.entry));
  item.append(button);
  return row;
}

function drawDensity(entries) {
  const { context, width, height } = prepare($("density"));
  const minutes = new Array(60).fill(0), faults = new Array(60).fill(0);
  const now = Date.now();
  for (const entry of entries) {
    const minute = 59 - Math.floor((now - entry.time) / 60_000);
    if (minute < 0 || minute > 59) continue;
    minutes[minute] += 1;
    if (entry.type === "error" || entry.type === "gap") faults[minute] += 1;
  }
  const most = Math.max(1, ...minutes), bar = width / 60;
  minutes.forEach((count, minute) => {
    if (!count) return;
    const tall = Math.max(2, (count / most) * (height - 6)), bad = (faults[minute] / count) * tall;
    context.fillStyle = color("accent");
    context.fillRect(minute * bar + 1, height - tall, Math.max(1, bar - 2), tall - bad);
    context.fillStyle = color("bad");
    context.fillRect(minute * bar + 1, height - bad, Math.max(1, bar - 2), bad);
  });
  put($("density"), "aria-label", `Events in each minute of the last hour; at most ${most} in one`);
}

function show(entry) {
  if (!entry) return;
  set($("detail-title"), `${entry.type} · ${moment.format(entry.time)}`);
  let text = entry.text;
  try {
    text = JSON.stringify(JSON.parse(entry.text), null, 2);
  } catch {
    // As it came.
  }
  set($("detail-text"), text);
  $("detail").showModal();
}

// ---- Ledger and engine

const ledger = [
  ["total", "frames_decoded", "Frames decoded"], ["part", "frames_sampled", "looked at"], ["part", "frames_unsampled", "passed over by sampling"],
  ["check", "frames_decoded", ["frames_sampled", "frames_unsampled"]],
  ["total", "faces_observed", "Faces observed"], ["part", "faces_analysed", "analysed"], ["part", "faces_reused", "known already"],
  ["part", "faces_rejected_quality", "not good enough"], ["part", "faces_dropped_overload", "dropped, overload"], ["part", "faces_failed", "failed"],
  ["part", "faces_pending", "pending"],
  ["check", "faces_observed", ["faces_analysed", "faces_reused", "faces_rejected_quality", "faces_dropped_overload", "faces_failed", "faces_pending"]],
  ["total", "crops_queued", "Pictures for FaceLLM"], ["part", "crops_described", "described"], ["part", "crops_replaced", "replaced by a better one"],
  ["part", "crops_expired", "waited too long"], ["part", "crops_dropped_overload", "dropped, overload"], ["part", "crops_failed", "failed"],
  ["part", "crops_pending", "pending"],
  ["check", "crops_queued", ["crops_described", "crops_replaced", "crops_expired", "crops_dropped_overload", "crops_failed", "crops_pending"]],
  ["total", "tracks_started", "Tracks started"], ["part", "tracks_ended", "ended"],
  ["total", "events_published", "Events published"],
];
const ledgerRows = [];

function makeLedger() {
  for (const [kind, , name] of ledger) {
    const row = document.createElement("tr");
    row.className = kind;
    const cell = document.createElement("td");
    if (kind === "check") {
      cell.colSpan = 2;
    } else {
      const head = document.createElement("th");
      head.scope = "row";
      set(head, name);
      row.append(head);
    }
    row.append(cell);
    ledgerRows.push({ row, cell });
    $("ledger").tBodies[0].append(row);
  }
}

function drawMachine() {
  const status = state.status;
  if (!status) return;
  const counts = status.ledger ?? {};
  ledger.forEach(([kind, key, parts], index) => {
    const { row, cell } = ledgerRows[index];
    if (kind !== "check") return set(cell, number.format(counts[key] ?? 0));
    const sum = parts.reduce((sum, part) => sum + (counts[part] ?? 0), 0);
    const holds = sum === (counts[key] ?? 0);
    put(row, "data-broken", holds ? null : "");
    set(cell, holds ? "adds up ✓" : `does not add up: the parts make ${number.format(sum)}`);
  });
  const describer = status.describer;
  const waiting = (status.sources ?? []).reduce((sum, source) => sum + (source.queue ?? 0), 0);
  describe($("engine"), describer
    ? [
      ["State", describer.reason ? `${describer.status}: ${describer.reason}` : describer.status],
      ["Model", describer.model ?? "–"],
      ["Precision", describer.precision ?? "–"],
      ["Faces that wait", number.format(waiting)],
      ["Sources that wait", number.format(describer.waiting_sources ?? 0)],
    ]
    : [["State", "no model configured; faces are measured, not described"]]);
  const journal = status.journal;
  describe($("daemon"), [
    ["Version", status.version],
    ["Start", `${moment.format(Date.parse(status.started_at))}, ${duration(status.uptime_s)} ago`],
    ["Instance", status.instance_id],
    ["Memory", `${number.format(Math.round(status.memory_mb))} MB`],
    ["Readers", number.format(status.subscribers ?? 0)],
    ["Journal", !journal ? "off: nothing is kept" : journal.failure ? `fails: ${journal.failure}` : bytes(journal.file_bytes)],
    ["Lines lost", journal ? number.format(journal.lost_lines ?? 0) : "–"],
  ]);
}

// ---- Life

makeLegend();
makeFilters();
makeLedger();
document.addEventListener("visibilitychange", () => changed("link", "sources", "faces", "timeline", "machine"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => changed("faces", "timeline"));
addEventListener("resize", () => changed("sources", "faces", "timeline"));
$("entries").addEventListener("pointerleave", () => changed("timeline"));
$("entries").addEventListener("focusout", () => changed("timeline"));
setInterval(look, 250);
setInterval(() => {
  if (state.stream && Date.now() - state.heardAt > silence) reconnect();
  changed("faces", "timeline");
}, 2000);
begin();
