// Shows what the daemon's events tell: draws what has changed, and starts all of it.

import { $, put, set, silence, state } from "./common.js";
import { begin, reconnect } from "./connection.js";
import { drawFaces, makeLegend } from "./faces.js";
import { drawMachine, makeLedger } from "./machine.js";
import { look } from "./pictures.js";
import { drawSources } from "./sources.js";
import { drawTimeline, makeFilters } from "./timeline.js";

const dirty = new Set();
let drawing = 0;

export function changed(...parts) {
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
