#!/usr/bin/env python3
"""Stands in for facellmd where scripts/soak is tested: its two sockets, a ledger that adds up, an event every 10 ms.

$FAKE_FAULT makes it leak descriptors, miscount, skip events, end with another status, or not start.
"""
import asyncio
import json
import os
import re
import signal
import sys

FAULT = os.environ.get("FAKE_FAULT", "")
leaked = []


def ledger():
    return {"frames_decoded": 10, "frames_sampled": 4, "frames_unsampled": 5 if FAULT == "miscount" else 6}


async def control(reader, writer):
    request = json.loads(await reader.readline())
    if FAULT == "leak":
        leaked.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(5))
    answer = {"request_id": request["request_id"], "ok": True, "result": {"ready": True, "ledger": ledger()}}
    writer.write(json.dumps(answer).encode() + b"\n")
    writer.close()


async def publish(writers):
    seq = 0
    while True:
        await asyncio.sleep(0.01)
        seq += 1
        if FAULT == "skip" and seq % 20 == 0:
            continue
        line = json.dumps({"type": "track.updated", "seq": seq}).encode() + b"\n"
        for writer in list(writers):
            # Nobody is waited for: what a client does not read is dropped with the client.
            if writer.is_closing() or writer.transport.get_write_buffer_size() > 1 << 16:
                writers.discard(writer)
                writer.transport.abort()
            else:
                writer.write(line)


async def main():
    text = open(sys.argv[sys.argv.index("--config") + 1]).read()
    folder = re.search(r"runtime_directory: (.*)", text).group(1)
    writers, stopped = set(), asyncio.Event()

    async def events(_, writer):
        writer.write(b'{"type":"hello"}\n')
        writers.add(writer)

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await asyncio.start_unix_server(events, f"{folder}/events.sock")
    await asyncio.start_unix_server(control, f"{folder}/control.sock")
    publishing = asyncio.create_task(publish(writers))
    await stopped.wait()
    publishing.cancel()


if FAULT == "refuse":
    sys.exit("bad configuration")
asyncio.run(main())
os._exit(1 if FAULT == "status" else 0)
