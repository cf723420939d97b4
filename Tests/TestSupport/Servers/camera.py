#!/usr/bin/env python3
"""A camera that misbehaves on order: RTSP with H.264 over RTP, from a file in Annex B with access unit delimiters.

usage: camera.py [--file FILE] [--mode MODE] [options]

Prints "port N" when it listens on the loopback address, and one line for each connection. Ends with its standard input.
Modes: play; silent (its queue of connections is full, so packets to it are dropped); mute (accepts and never answers);
no-media (promises to play and sends nothing); reset (closes with a TCP reset after --count pictures); end (says goodbye
after --count); freeze (falls silent after --count and keeps the connection, for --silence seconds); status (answers
DESCRIBE with --status).
"""
import argparse
import base64
import random
import socket
import struct
import sys
import threading
import time

NTP_EPOCH = 2208988800


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--file")
    parser.add_argument("--mode", default="play")
    parser.add_argument("--status", type=int, default=404)
    parser.add_argument("--password", help="USER:PASSWORD asked for by Basic authorization")
    parser.add_argument("--count", type=int, default=10, help="pictures until the fault")
    parser.add_argument("--faults", type=int, default=1 << 30, help="connections that have the fault; later ones play")
    parser.add_argument("--silence", type=float, default=1e9)
    parser.add_argument("--from", dest="first", type=int, default=0, help="the picture that it begins with")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--speed", type=float, default=1, help="how much faster than its timestamps it sends")
    parser.add_argument("--first-timestamp", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=1, help="pictures in a row that share a timestamp")
    parser.add_argument("--jump", type=float, default=0, help="seconds by which timestamps jump after --count")
    parser.add_argument("--reports", type=float, default=-1, help="second from which sender reports are sent; none if < 0")
    parser.add_argument("--clock", type=float, default=0, help="seconds by which the reports' clock is ahead")
    parser.add_argument("--loss", type=float, default=0, help="share of RTP packets that are lost")
    parser.add_argument("--damage", type=float, default=0, help="share of RTP packets with a flipped bit")
    parser.add_argument("--reorder", type=float, default=0, help="share of RTP packets that change places")
    return parser.parse_args()


def access_units(path):
    """Lists of NAL units, one list a picture; delimiters are dropped."""
    data = open(path, "rb").read()
    units, start = [], data.find(b"\0\0\1")
    while start >= 0:
        end = data.find(b"\0\0\1", start + 3)
        nal = data[start + 3:end if end >= 0 else len(data)].rstrip(b"\0")
        if nal[0] & 31 == 9:
            units.append([])
        else:
            units[-1].append(nal)
        start = end
    return units


class Client(threading.Thread):
    def __init__(self, connection, number, options, units):
        super().__init__(daemon=True)
        self.connection, self.number, self.options, self.units = connection, number, options, units
        self.mode = options.mode if number <= options.faults else "play"
        self.random = random.Random(number)
        self.lock = threading.Lock()
        self.udp = None

    def run(self):
        try:
            self.serve()
        except (OSError, ValueError):
            pass
        finally:
            self.connection.close()

    def serve(self):
        reader = self.connection.makefile("rb")
        while True:
            first = reader.read(1)
            if not first:
                return
            if first == b"$":
                _, size = struct.unpack(">BH", reader.read(3))
                reader.read(size)
                continue
            request = first.decode() + reader.readline().decode()
            headers = {}
            while (line := reader.readline().decode().strip()):
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            if self.mode == "mute":
                continue
            if not self.answer(request.split()[0], request.split()[1], headers):
                return

    def answer(self, method, url, headers):
        extra, body, status = [], "", "200 OK"
        if method == "OPTIONS":
            extra = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]
        elif method == "DESCRIBE":
            if self.mode == "status":
                status = f"{self.options.status} No"
            elif self.options.password and not self.is_authorized(headers):
                status, extra = "401 Unauthorized", ['WWW-Authenticate: Basic realm="camera"']
            else:
                extra, body = [f"Content-Base: {url}/", "Content-Type: application/sdp"], self.description()
        elif method == "SETUP":
            transport = headers["transport"]
            if "client_port=" in transport:
                port = int(transport.split("client_port=")[1].split("-")[0].split(";")[0])
                self.udp = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
                for index, end in enumerate(self.udp):
                    end.bind(("127.0.0.1", 0))
                    end.connect(("127.0.0.1", port + index))
                ports = "-".join(str(end.getsockname()[1]) for end in self.udp)
                transport += f";server_port={ports}"
            extra = ["Session: 1", f"Transport: {transport}"]
        elif method == "PLAY":
            extra = ["Session: 1", "Range: npt=0-"]
        elif method != "GET_PARAMETER":
            extra = ["Session: 1"]
        head = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}"] + extra
        if body:
            head.append(f"Content-Length: {len(body)}")
        with self.lock:
            self.connection.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode())
        if method == "PLAY" and self.mode != "no-media":
            threading.Thread(target=self.play, daemon=True).start()
        return method != "TEARDOWN"

    def is_authorized(self, headers):
        scheme, _, value = headers.get("authorization", "").partition(" ")
        return scheme == "Basic" and base64.b64decode(value).decode() == self.options.password

    def description(self):
        sets = [nal for nal in self.units[0] if nal[0] & 31 in (7, 8)]
        parameters = ",".join(base64.b64encode(nal).decode() for nal in sets)
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:video\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={parameters}\r\n"
        )

    # MARK: media

    def play(self):
        try:
            self.send_pictures()
        except OSError:
            pass

    def send_pictures(self):
        options, self.sequence, self.held = self.options, 0, None
        start, number, report = time.time(), 0, options.reports
        delay = 0.0
        while True:
            now = time.time()
            due = start + delay + number / options.fps / options.speed
            if due > now:
                time.sleep(due - now)
            if number == options.count and self.mode != "play":
                if self.mode == "freeze":
                    time.sleep(options.silence)
                    delay += options.silence
                    self.mode = "play"
                else:
                    return self.leave()
            seconds = number // options.repeat * options.repeat / options.fps + (options.jump if number >= options.count else 0)
            timestamp = (options.first_timestamp + round(seconds * 90000)) & 0xffffffff
            if options.reports >= 0 and time.time() - start >= report:
                self.send_report(timestamp, time.time() + options.clock)
                report += 1
            self.send_picture(self.units[(number + options.first) % len(self.units)], timestamp)
            number += 1

    def leave(self):
        if self.mode == "end":
            self.emit(1, struct.pack(">BBHI", 0x81, 203, 1, 1))
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Wakes the thread that waits for requests, and that one closes: nothing is closed while somebody reads it.
        self.connection.shutdown(socket.SHUT_RD)

    def send_picture(self, nals, timestamp):
        payloads = []
        for nal in nals:
            if len(nal) <= 1300:
                payloads.append(nal)
                continue
            head, kind, rest = nal[0] & 0xe0 | 28, nal[0] & 31, nal[1:]
            pieces = [rest[at:at + 1300] for at in range(0, len(rest), 1300)]
            for index, piece in enumerate(pieces):
                flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
                payloads.append(bytes([head, flags | kind]) + piece)
        for index, payload in enumerate(payloads):
            marker = 0x80 if index == len(payloads) - 1 else 0
            header = struct.pack(">BBHII", 0x80, marker | 96, self.sequence & 0xffff, timestamp, 1)
            self.sequence += 1
            self.send_packet(header + payload)

    def send_packet(self, packet):
        if self.random.random() < self.options.loss:
            return
        if self.random.random() < self.options.damage:
            place = self.random.randrange(13, len(packet))
            flipped = bytes([packet[place] ^ 1 << self.random.randrange(8)])
            packet = packet[:place] + flipped + packet[place + 1:]
        if self.held is not None:
            self.emit(0, packet)
            self.emit(0, self.held)
            self.held = None
        elif self.random.random() < self.options.reorder:
            self.held = packet
        else:
            self.emit(0, packet)

    def send_report(self, timestamp, now):
        seconds = int(now) + NTP_EPOCH
        fraction = int((now % 1) * (1 << 32))
        self.emit(1, struct.pack(">BBHIIIIII", 0x80, 200, 6, 1, seconds & 0xffffffff, fraction, timestamp, 0, 0))

    def emit(self, channel, packet):
        if self.udp:
            try:
                self.udp[channel].send(packet)
            except ConnectionRefusedError:
                pass
            self.connection.getpeername()
            return
        with self.lock:
            self.connection.sendall(struct.pack(">BBH", 0x24, channel, len(packet)) + packet)


def main():
    options = arguments()
    units = access_units(options.file) if options.file else []
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0 if options.mode == "silent" else 64)
    port = listener.getsockname()[1]
    fillers = []
    if options.mode == "silent":
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        time.sleep(0.1)
    else:
        threading.Thread(target=accept, args=(listener, options, units), daemon=True).start()
    print(f"port {port}", flush=True)
    sys.stdin.read()


def accept(listener, options, units):
    number = 0
    while True:
        connection, _ = listener.accept()
        number += 1
        print(f"connection {number}", flush=True)
        Client(connection, number, options, units).start()


main()
