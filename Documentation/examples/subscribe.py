#!/usr/bin/env python3
"""Prints what the daemon sees, one line an event: subscribe.py [SOCKET [CURSOR]]"""
import json, socket, sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1] if len(sys.argv) > 1 else "/run/facellm/events.sock")
since = sys.argv[2] if len(sys.argv) > 2 else "now"
connection.sendall(json.dumps({"op": "subscribe", "request_id": 1, "since": since}).encode() + b"\n")
for line in connection.makefile(encoding="utf-8"):
    event = json.loads(line)
    if "seq" in event:
        print(event["cursor"], event["source"], event["type"], event.get("track_id", ""), flush=True)
