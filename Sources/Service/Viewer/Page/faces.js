// A card for each face in view.

import { $, clock, clone, cut, duration, expressions, limits, percent, put, set, signed, state, words } from "./common.js";
import { drop } from "./events.js";
import { prepare } from "./sources.js";

export function shownTracks() {
  const now = Date.now();
  for (const track of [...state.tracks.values()]) {
    if (track.ended && now - track.leftAt > limits.goneCard) drop(track);
  }
  return [...state.tracks.values()]
    .sort((a, b) => (a.ended ? 1 : 0) - (b.ended ? 1 : 0) || b.began - a.began)
    .slice(0, limits.cards);
}

const cards = [];

export function drawFaces() {
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
export const color = (name) => styles.getPropertyValue(`--${name}`).trim() || "#888";

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

export function makeLegend() {
  for (const label of expressions) {
    const item = document.createElement("li");
    item.dataset.label = label;
    set(item, label);
    $("legend").append(item);
  }
}
