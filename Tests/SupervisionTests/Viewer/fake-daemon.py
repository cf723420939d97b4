"""Serves the viewer's page with events that a real daemon never has: words that are markup, and thousands of lines.

Arguments: the folder of the page. Prints its port. What it is told on standard input, one JSON object a line, it
publishes.
"""

import http.server
import json
import sys
import threading
import time

from checks import EVIL

PAGE = sys.argv[1]
INSTANCE = "fake1"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}

lines = []
changed = threading.Condition()


def text(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%03dZ" % (seconds % 1 * 1000)


def publish(type, source=EVIL, **fields):
    with changed:
        number = len(lines) + 1
        event = {
            "schema": "facellm.events/1", "type": type, "instance_id": INSTANCE, "seq": number,
            "cursor": f"{INSTANCE}-{number}", "time": text(time.time()), "published_at": text(time.time()),
            "source": source, "epoch": 0, **fields,
        }
        lines.append(json.dumps(event))
        changed.notify_all()


def face():
    return {
        "bounding_box": {"left": 0.4, "top": 0.2, "width": 0.2, "height": 0.4},
        "pose": {"yaw_deg": 20, "pitch_deg": -5, "roll_deg": 3, "method": "geometry"},
    }


def begin():
    publish("source.status", status=EVIL, reason=EVIL)
    publish(
        "track.started", track_id=EVIL, face=face(), expression={"label": EVIL, "confidence": 0.9, "method": EVIL},
        attributes={EVIL: {"value": EVIL, "confidence": 0.5, "method": EVIL}},
    )
    publish(
        "face.analysis", track_id=EVIL, face=face(), description={"text": EVIL, "method": "vlm"},
        attributes={"hat": {"value": EVIL, "confidence_kind": "none", "method": "vlm"}}, analysis={"status": "ok"},
    )
    publish("error", code=EVIL, message=EVIL, retryable=True)
    publish("gap", scope=EVIL, reason=EVIL)


def status():
    return {
        "version": EVIL, "instance_id": INSTANCE, "started_at": text(time.time() - 60), "uptime_s": 60, "ready": True,
        "sources": [
            {"name": EVIL, "status": "online", "reason": EVIL, "fps": 5, "lag_s": 0.1, "faces": 1, "frames_dropped": 0},
            {"name": "dark", "status": "reconnecting", "reason": "refused", "attempt": 3, "faces": 0},
        ],
        "ledger": {"frames_decoded": 5, "frames_sampled": 2, "frames_unsampled": 2}, "subscribers": 1,
        "memory_mb": 100, "describer": {"status": "failed", "reason": EVIL, "model": EVIL, "waiting_sources": 0},
        "journal": {"failure": EVIL, "pending_lines": 0, "lost_lines": 0, "file_bytes": 0},
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, type, code=200, **headers):
        self.send_response(code)
        for name, value in {"Content-Type": type, "Content-Security-Policy": POLICY, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        name = "viewer.html" if path == "/" else path[1:]
        try:
            if "/" not in name and name.rsplit(".")[-1] in TYPES:
                with open(f"{PAGE}/{name}", "rb") as file:
                    self.answer(file.read(), TYPES[name.rsplit(".")[-1]])
            elif path == "/api/status":
                self.answer(json.dumps(status()).encode(), "application/json")
            elif path == "/api/history":
                with changed:
                    body, cursor = "\n".join(lines).encode(), f"{INSTANCE}-{len(lines)}"
                self.answer(body, "application/x-ndjson", X_Facellm_Cursor=cursor)
            elif path == "/api/events":
                self.events()
            elif path.startswith("/api/"):
                faces = json.dumps([{"id": EVIL, "label": EVIL, "box": [0.4, 0.2, 0.2, 0.4], "pose": [20, -5, 3]}])
                self.answer(b"", "image/jpeg", 204, X_Facellm_Picture="1", X_Facellm_Faces=faces)
            else:
                self.answer(b"", "text/plain", 404)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        since = self.headers.get("Last-Event-ID") or self.path.split("since=")[-1].split("&")[0]
        place = int(since.rsplit("-")[-1]) if "-" in since else len(lines)

        def tell(words):
            self.wfile.write(words.encode())
            self.wfile.flush()

        tell(f"event: hello\ndata: {json.dumps({'type': 'hello', 'instance_id': INSTANCE})}\n\n")
        tell('event: viewer\ndata: {"pictures":"clear"}\n\n')
        told = 0
        while True:
            with changed:
                changed.wait_for(lambda: len(lines) > place, timeout=0.2)
                new = lines[place:]
            if new:
                tell("".join(f"id: {INSTANCE}-{place + n}\ndata: {line}\n\n" for n, line in enumerate(new, 1)))
                place += len(new)
            if time.monotonic() - told > 1:
                told = time.monotonic()
                tell(f"event: status\ndata: {json.dumps(status())}\n\n")


begin()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
for request in sys.stdin:
    publish(**json.loads(request))
