// The last hour: filters, how much happened when, and the events.

import { $, clock, limits, moment, number, put, set, state, types } from "./common.js";
import { prune } from "./events.js";
import { color } from "./faces.js";
import { prepare } from "./sources.js";

const rows = [];

export function makeFilters() {
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

export function drawSourceFilter() {
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

export function drawTimeline(isAsked) {
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
