// Previews and best shots, asked for while they show.

import { calm, state } from "./common.js";
import { shownTracks } from "./faces.js";
import { drawTile } from "./sources.js";
import { changed } from "./viewer.js";

export const watched = new IntersectionObserver((changes) => {
  for (const change of changes) {
    const tile = [...state.tiles.values()].find((tile) => tile.element === change.target);
    if (tile) tile.isVisible = change.isIntersecting;
  }
}, { rootMargin: "100px" });

export async function look() {
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
