#!/usr/bin/env python3
"""A real RTSP server: sends an H.264 file in a loop, as a camera would, with GStreamer's server library.

usage: rtsp-server.py FILE [--port N] [--fps N] [--streams N] [--tell N] [--user NAME --password WORD]

FILE is Annex B with access unit delimiters. Prints "port N" when it listens on the loopback address; the stream is
rtsp://127.0.0.1:N/stream. With --streams there are more, /stream2 and so on, each at another place of the file. With
--tell it prints "shown STREAM SECONDS" each time it sends that picture of the file, in seconds since 1970. RTP, time
stamps and sender reports are the library's own. Ends with its standard input. Exit status 77: GStreamer's packages are
not installed.
"""
import argparse
import sys
import threading
import time

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: F401
except (ImportError, ValueError) as error:
    print(f"GStreamer's RTSP server is not installed: {error}", file=sys.stderr)
    sys.exit(77)

CAPS = "video/x-h264,stream-format=byte-stream,alignment=au"


def access_units(path):
    delimiter = b"\0\0\0\1\x09"
    return [delimiter + unit for unit in open(path, "rb").read().split(delimiter)[1:]]


def is_keyframe(unit):
    """Whether a slice of the access unit is one of an IDR picture."""
    at = unit.find(b"\0\0\1")
    while at >= 0:
        if unit[at + 3] & 31 == 5:
            return True
        at = unit.find(b"\0\0\1", at + 3)
    return False


def first_picture(units, share):
    """The keyframe at or behind so much of the file."""
    start = round(share * len(units))
    order = [(start + step) % len(units) for step in range(len(units))]
    return next((number for number in order if is_keyframe(units[number])), 0)


class Camera(GstRtspServer.RTSPMediaFactory):
    """One live pipeline, shared by all clients; begins at a picture of the file."""

    def __init__(self, name, units, first, options):
        super().__init__()
        self.name, self.units, self.first, self.fps, self.told = name, units, first, options.fps, options.tell
        self.set_shared(True)
        self.connect("media-configure", self.configure)

    def do_create_element(self, url):
        source = f"appsrc name=source is-live=true format=time do-timestamp=true caps={CAPS}"
        return Gst.parse_launch(f"( {source} ! rtph264pay name=pay0 pt=96 config-interval=-1 )")

    def configure(self, _, media):
        source = media.get_element().get_by_name_recurse_up("source")
        ended = threading.Event()
        media.connect("unprepared", lambda _: ended.set())
        threading.Thread(target=self.push, args=(source, ended), daemon=True).start()

    def push(self, source, ended):
        start, number = time.monotonic(), 0
        while not ended.wait(max(0, start + number / self.fps - time.monotonic())):
            picture = (self.first + number) % len(self.units)
            source.emit("push-buffer", Gst.Buffer.new_wrapped(self.units[picture]))
            if picture == self.told:
                print(f"shown {self.name} {time.time():.3f}", flush=True)
            number += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--port", default="0")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--tell", type=int, default=-1, metavar="PICTURE")
    parser.add_argument("--user")
    parser.add_argument("--password")
    options = parser.parse_args()
    Gst.init(None)
    missing = [name for name in ("appsrc", "rtph264pay") if not Gst.ElementFactory.find(name)]
    if missing:
        print(f"GStreamer has no {', '.join(missing)}", file=sys.stderr)
        sys.exit(77)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    units = access_units(options.file)
    cameras = []
    for number in range(options.streams):
        name = f"stream{number + 1}" if number else "stream"
        cameras.append(Camera(name, units, first_picture(units, number / options.streams) if number else 0, options))
        server.get_mount_points().add_factory(f"/{name}", cameras[-1])
    if options.user:
        protect(server, cameras, options.user, options.password or "")
    if not server.attach(None):
        sys.exit("cannot listen")
    loop = GLib.MainLoop()
    print(f"port {server.get_bound_port()}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), GLib.idle_add(loop.quit)), daemon=True).start()
    loop.run()


def protect(server, cameras, user, password):
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    rights = "user, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
    for camera in cameras:
        camera.add_role_from_structure(Gst.Structure.from_string(rights)[0])


main()
