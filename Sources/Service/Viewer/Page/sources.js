// A tile for each source, its picture with boxes, names and the heads' axes.

import { $, boxColors, clone, describe, number, put, set, state, words } from "./common.js";
import { watched } from "./pictures.js";
import { drawSourceFilter } from "./timeline.js";

export function prepare(canvas) {
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

export function drawTile(tile) {
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

export function drawSources() {
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
