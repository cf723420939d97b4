"""Drives the viewer's page in Chromium against a real daemon: what is seen appears, a killed daemon is told of, nothing
is lost when it is back.

Arguments: facellmd, its configuration, its state and its runtime directory, its HTTP port. Prints
what is wrong; the exit status is 1 then.
"""

import calendar
import json
import signal
import subprocess
import sys
import time
import urllib.request

from browser import Browser
from checks import Checks

facellmd, configuration, state, runtime, port = sys.argv[1:6]
address = f"http://127.0.0.1:{port}/"
types = "source.status,track.started,track.updated,face.analysis,track.ended,gap,run.summary,error"
checks = Checks()
check = checks.check


def start():
    command = [facellmd, "--config", configuration, "--state-dir", state, "--runtime-dir", runtime]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address + "readyz", timeout=5) as answer:
                if answer.status == 200:
                    return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"the daemon is not ready: {process.stderr.read()}")


def seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float(text[19:-1])


def published(type, count, limit=60):
    """The next events of a type, as the stream has them, each with when it came."""
    with urllib.request.urlopen(f"{address}api/events?types={type}", timeout=limit) as stream:
        for line in stream:
            if line.startswith(b"data: {") and b'"seq"' in line:
                yield json.loads(line[6:])
                count -= 1
                if not count:
                    return


def history():
    with urllib.request.urlopen(f"{address}api/history?types={types}", timeout=30) as answer:
        return [json.loads(line) for line in answer]


def shown(browser):
    return int(browser.value("document.querySelector('#timeline-count').textContent").replace(",", "") or 0)


def choose(browser, *wanted):
    browser.value(
        "for (const box of document.querySelectorAll('#filter-types input'))"
        f" if (box.checked !== {json.dumps(wanted)}.includes(box.value)) box.click()"
    )


def rows(browser, part):
    return browser.value(f"[...document.querySelectorAll('.entry .{part}')].map((cell) => cell.textContent)")


def complete(browser, when):
    """Everything that the journal has of the last hour is on the page, once."""
    choose(browser, *types.split(","))
    deadline = time.monotonic() + 30
    while True:
        lines = history()
        count = shown(browser)
        # Events go on; the two are asked one after the other.
        if len(lines) <= count <= len(history()):
            return lines
        if time.monotonic() > deadline:
            check(False, f"{when}: the page has {count} events of {len(lines)}")
            return lines
        time.sleep(0.1)


daemon = start()
try:
    with Browser(1280, 900) as browser:
        browser.open(address)
        browser.wait("document.querySelector('#link').dataset.state === 'live'")
        browser.wait("[...document.querySelectorAll('.state')].some((e) => e.dataset.state === 'online')", 60)

        # What is published is on the page within 2 s. One in five is enough: this machine may be busy.
        delays = []
        choose(browser, "track.started")
        for event in published("track.started", 5):
            words = f"document.querySelector('#entries')?.textContent.includes({json.dumps(event['track_id'] + ' ')})"
            browser.wait(words, 30)
            delays.append(time.time() - seconds(event["published_at"]))
            if min(delays) < 2:
                break
        check(min(delays) < 2, f"events appear only after {delays} s")
        print(f"an event was on the page after {min(delays):.2f} s")

        # The face is there with picture, box, best shot, expression, pose and attributes.
        browser.wait("document.querySelector('.card:not([hidden]) .shot img:not([hidden])')", 60)
        browser.wait("document.querySelector('.card:not([hidden]) .expression small')?.textContent.includes('classifier')")
        browser.wait("/yaw/.test(document.querySelector('.card:not([hidden]) .angles').textContent)")
        browser.wait("document.querySelector('.card:not([hidden]) .attributes').textContent.includes('eyes')")
        browser.wait("[...document.querySelectorAll('.screen canvas')].some((e) => /: t\\d+/.test(e.ariaLabel))", 60)
        browser.wait("[...document.querySelectorAll('.no-picture')].some((e) => e.hidden)")

        # Filters.
        choose(browser, "source.status")
        browser.wait("document.querySelectorAll('.entry').length > 0")
        check(set(rows(browser, "kind")) == {"source.status"}, f"a filter shows {set(rows(browser, 'kind'))}")
        names = browser.value("[...document.querySelector('#filter-source').options].map((o) => o.value)")
        check(len(names) == 3, f"sources to choose from: {names}")
        for name in names[1:]:
            browser.value(
                f"(() => {{ const s = document.querySelector('#filter-source'); s.value = {json.dumps(name)};"
                " s.dispatchEvent(new Event('change')); })()"
            )
            browser.wait("document.querySelectorAll('.entry').length > 0")
            check(set(rows(browser, "where")) == {name}, f"the filter {name} shows {set(rows(browser, 'where'))}")
        browser.value(
            "(() => { const s = document.querySelector('#filter-source'); s.value = '';"
            " s.dispatchEvent(new Event('change')); })()"
        )
        choose(browser)
        check(browser.value("document.querySelectorAll('.entry').length") == 0, "nothing was chosen and something shows")
        complete(browser, "before the daemon was killed")
        check(not browser.network_errors, f"requests failed: {browser.network_errors}")

        # Killed, told of, back, and nothing lost.
        before = len(history())
        daemon.kill()
        daemon.wait()
        waited = browser.wait("document.querySelector('#link').dataset.state === 'lost'", 20)
        browser.wait("!document.querySelector('#lost').hidden")
        browser.wait("document.querySelector('.state').dataset.state === 'gone'")
        print(f"a killed daemon was told of after {waited:.2f} s")
        daemon = start()
        browser.wait("document.querySelector('#link').dataset.state === 'live'", 30)
        browser.wait("document.querySelector('#lost').hidden")
        browser.wait("document.querySelector('.card:not([hidden])')", 60)
        lines = complete(browser, "after the daemon came back")
        check(len({line["instance_id"] for line in lines}) == 2 and len(lines) > before, "two starts of the daemon")

        check(not browser.console, f"the console says {browser.console}")
        unexpected = [words for words in browser.network_errors if "ERR_CONNECTION_REFUSED" not in words
                      and "ERR_INCOMPLETE_CHUNKED_ENCODING" not in words and "ERR_CONNECTION_RESET" not in words
                      and "ERR_EMPTY_RESPONSE" not in words]
        check(not unexpected, f"requests failed otherwise than by a daemon that is gone: {unexpected}")
        checks.requests(browser, (address,), "with a daemon")

        # In order it ends even while a browser reads.
        daemon.send_signal(signal.SIGTERM)
        check(daemon.wait(20) == 143, f"the daemon ended with {daemon.returncode}")
finally:
    if daemon.poll() is None:
        daemon.kill()
        daemon.wait()

checks.finish()
