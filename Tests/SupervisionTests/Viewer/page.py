"""Drives the viewer's page in Chromium against a daemon that is not real: markup in words, growth, keyboard, contrast.

Arguments: the folder of the page. Prints what is wrong; the exit status is 1 then.
"""

import json
import os
import subprocess
import sys
import time

from browser import Browser
from checks import EVIL, SHOWN, Checks

HERE = os.path.dirname(os.path.abspath(__file__))
checks = Checks()
check = checks.check


daemon = subprocess.Popen(
    [sys.executable, f"{HERE}/fake-daemon.py", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
try:
    address = f"http://127.0.0.1:{int(daemon.stdout.readline())}/"

    def publish(count, **fields):
        for _ in range(count):
            daemon.stdin.write(json.dumps(fields) + "\n")
        daemon.stdin.flush()

    for dark in (False, True):
        with Browser(dark=dark, reduced_motion=dark) as browser:
            browser.open(address)
            browser.wait("document.querySelector('#link').dataset.state === 'live'")
            browser.wait("document.querySelectorAll('.card:not([hidden])').length === 1")
            browser.wait("document.querySelectorAll('.entry').length === 5")
            name = "dark" if dark else "light"
            checks.contrast(browser, name)
            checks.names(browser, name)
            if dark:
                checks.calm(browser, name)

            # Words are words, wherever they stand.
            for place in (
                ".tile h3", ".card h3", ".card .sentence", ".card .attributes", ".card .expression", "#entries",
                "#engine", "#daemon", "#filter-source",
            ):
                shown = browser.value(f"document.querySelector('{place}').textContent")
                check(SHOWN in shown, f"{place} does not show the words: {shown!r}")
            checks.harmless(browser, name)

            # By keyboard: the first key leads past the navigation, the entries open and close.
            browser.key("Tab")
            check(browser.value("document.activeElement.className") == "skip", "the first stop is not the skip link")
            browser.value("document.querySelector('.entry').focus()")
            browser.key("Enter", text="\r")
            browser.wait("document.querySelector('#detail').open")
            shown = json.loads(browser.value("document.querySelector('#detail-text').textContent"))
            check(shown["reason"] == EVIL, "the dialog does not show the event")
            browser.key("Escape")
            browser.wait("!document.querySelector('#detail').open")
            check(browser.value("document.activeElement.className") == "entry", "focus is lost when the dialog closes")
            browser.value("document.activeElement.blur()")

            # A ledger that does not add up is shown as such.
            check("does not add up" in browser.value("document.querySelector('#ledger').textContent"), "ledger")

            # 360 pixels are enough, and nothing reaches over the edge.
            checks.narrow(browser, name)
            checks.quiet(browser, name)
            checks.requests(browser, (address,), name)

    # A page that is open for long: thousands of lines and hundreds of tracks leave no more behind than a few.
    with Browser() as browser:
        browser.open(address)
        browser.wait("document.querySelector('#link').dataset.state === 'live'")
        look = {"source": "dark", "face": {}, "expression": {"label": "happy", "confidence": 1, "method": "classifier"}}

        def day(first):
            for track in range(first, first + 400):
                publish(1, type="track.started", track_id=f"t{track}", **look)
                publish(8, type="track.updated", track_id=f"t{track}", changed=["expression"], **look)
            publish(1, type="error", code="last", message=f"line {first}", retryable=True)
            browser.wait(f"document.querySelector('.entry .what').textContent === 'last: line {first}'", 60)

        def size():
            browser.call("HeapProfiler.collectGarbage")
            usage = browser.call("Runtime.getHeapUsage")["usedSize"]
            return browser.value("document.querySelectorAll('*').length"), usage

        day(1000)
        before = size()
        # More than 50,000 lines and 5,000 tracks: a busy day.
        for number in range(2, 16):
            day(1000 * number)
        after = size()
        shown = int(browser.value("document.querySelector('#timeline-count').textContent").replace(",", ""))
        check(shown <= 3000, f"{shown} entries are kept")
        check(after[0] <= before[0] + 40, f"the page grew from {before[0]} to {after[0]} elements")
        check(after[1] <= before[1] + 4_000_000, f"the page grew from {before[1]} to {after[1]} bytes")
        check(browser.value("document.querySelectorAll('.card').length") <= 24, "too many cards")
        checks.quiet(browser, "after many lines")
        print(f"elements {before[0]} -> {after[0]}, heap {before[1]} -> {after[1]} bytes")
finally:
    daemon.kill()
    daemon.wait()

checks.finish()
