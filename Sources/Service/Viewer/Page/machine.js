// Ledger, engine and daemon.

import { $, bytes, describe, duration, moment, number, put, set, state } from "./common.js";

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

export function makeLedger() {
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

export function drawMachine() {
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
