"""A headless Chromium to drive from Python, over its debugging protocol, with the standard library alone."""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request


class WebSocket:
    """Enough of RFC 6455 for text messages to a server on this machine."""

    def __init__(self, url):
        host, path = url.removeprefix("ws://").split("/", 1)
        name, port = host.rsplit(":", 1)
        self.socket = socket.create_connection((name, int(port)))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"no websocket: {head!r}")

    def send(self, text):
        data = text.encode()
        mask = os.urandom(4)
        head = bytearray([0x81])
        if len(data) < 126:
            head.append(0x80 | len(data))
        elif len(data) < 65536:
            head += struct.pack(">BH", 0x80 | 126, len(data))
        else:
            head += struct.pack(">BQ", 0x80 | 127, len(data))
        self.socket.sendall(bytes(head) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def _read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def receive(self):
        text = b""
        while True:
            first, second = self._read(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self._read(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._read(8))
            text += self._read(length)
            if first & 0x0F == 8:
                raise EOFError
            if first & 0x80:
                return text.decode()


class Browser:
    """One page. Keeps what its console says, what it asks for and what goes wrong."""

    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

    def __init__(self, width=1280, height=900, dark=False, reduced_motion=False):
        self.folder = tempfile.mkdtemp(prefix="facellm-chromium-")
        self.process = subprocess.Popen(
            [
                self.executable, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-extensions", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--metrics-recording-only", "--no-default-browser-check",
                "--remote-debugging-port=0", f"--user-data-dir={self.folder}", f"--window-size={width},{height}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder},
        )
        self.console = []
        self.network_errors = []
        self.requests = []
        self.replies = {}
        self.arrived = threading.Condition()
        self.next_id = 0
        port = self._port()
        self.socket = WebSocket(self._page(port))
        threading.Thread(target=self._listen, daemon=True).start()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"},
            ],
        )
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def _port(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with open(os.path.join(self.folder, "DevToolsActivePort")) as file:
                    return int(file.readline())
            except (FileNotFoundError, ValueError):
                time.sleep(0.05)
        raise RuntimeError("chromium did not start")

    def _page(self, port):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                for target in json.load(answer):
                    if target["type"] == "page":
                        return target["webSocketDebuggerUrl"]
            time.sleep(0.05)
        raise RuntimeError("chromium has no page")

    def _listen(self):
        while True:
            try:
                message = json.loads(self.socket.receive())
            except (EOFError, OSError):
                return
            with self.arrived:
                if "id" in message:
                    self.replies[message["id"]] = message
                    self.arrived.notify_all()
                else:
                    self._note(message.get("method"), message.get("params", {}))

    def _note(self, method, parameters):
        if method == "Runtime.consoleAPICalled":
            words = " ".join(str(part.get("value", part.get("description"))) for part in parameters["args"])
            self.console.append(f"{parameters['type']}: {words}")
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.console.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
        elif method == "Log.entryAdded":
            entry = parameters["entry"]
            words = f"{entry['level']}: {entry['source']}: {entry['text']} {entry.get('url', '')}"
            (self.network_errors if entry["source"] == "network" else self.console).append(words)
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.console.append(f"dialog: {parameters.get('message')}")

    def call(self, method, **parameters):
        with self.arrived:
            self.next_id += 1
            number = self.next_id
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        with self.arrived:
            if not self.arrived.wait_for(lambda: number in self.replies, timeout=60):
                raise TimeoutError(method)
            reply = self.replies.pop(number)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]

    def open(self, url):
        self.call("Page.navigate", url=url)

    def value(self, expression):
        """What a JavaScript expression gives."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression, seconds=30):
        """Waits until an expression is true; gives the seconds that took."""
        began = time.monotonic()
        while True:
            try:
                if self.value(f"Boolean({expression})"):
                    return time.monotonic() - began
            except RuntimeError:
                pass  # Between two pages.
            if time.monotonic() - began > seconds:
                raise TimeoutError(f"after {seconds} s this is still not so: {expression}")
            time.sleep(0.05)

    def key(self, name, code=None, text=None):
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=name, code=name,
                windowsVirtualKeyCode=code or {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}.get(name, 0), **more
            )

    def screenshot(self, path, whole=False):
        more = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            more = {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        data = self.call("Page.captureScreenshot", format="png", **more)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        try:
            self.call("Browser.close")
        except (TimeoutError, OSError, RuntimeError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
