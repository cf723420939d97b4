// What the parts of the page share: bounds, state and words. What comes from outside is set as text, never as markup.
// Whatever grows has a bound, so that the page can stay open for weeks.

export const limits = {
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
export const silence = 9000; // The daemon says something every 2 s.
export const types = ["source.status", "track.started", "track.updated", "face.analysis", "track.ended", "gap", "run.summary", "error"];
export const expressions = ["neutral", "happy", "sad", "surprised", "fearful", "disgusted", "angry", "contemptuous"];
export const boxColors = ["#5ad1ff", "#ffd166", "#8cff98", "#ff9bd2", "#c7b3ff", "#ffab7a", "#7df0e0", "#f4f4f4"];

export const $ = (id) => document.getElementById(id);
export const calm = matchMedia("(prefers-reduced-motion: reduce)");
export const number = new Intl.NumberFormat("en-GB");
export const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const state = {
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

export function set(element, text) {
  const words = text === undefined || text === null ? "" : String(text);
  if (element.textContent !== words) element.textContent = words;
}

export function put(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

export const words = (text) => String(text).replaceAll("_", " ");
export const percent = (value) => (typeof value === "number" ? `${Math.round(value * 100)} %` : "");
export const signed = (value) => `${Math.round(value) < 0 ? "−" : ""}${Math.abs(Math.round(value))}°`;
export const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} days`;
}

export function bytes(count) {
  if (!Number.isFinite(count)) return "";
  if (count < 1_000_000) return `${Math.round(count / 1000)} kB`;
  return `${(count / 1_000_000).toFixed(count < 1e8 ? 1 : 0)} MB`;
}

export function timeOf(event) {
  const time = Date.parse(event.time ?? event.published_at ?? "");
  return Number.isFinite(time) ? time : Date.now();
}

export function clone(template) {
  return $(template).content.firstElementChild.cloneNode(true);
}

export function describe(list, pairs) {
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
