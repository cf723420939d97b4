"""Drives the viewer's page in Chromium against a daemon that is not real: markup in words, growth, keyboard, contrast.

Arguments: the folder of the page. Prints what is wrong; the exit status is 1 then.
"""

import json
import os
import subprocess
import sys
import time

from browser import Browser

HERE = os.path.dirname(os.path.abspath(__file__))
EVIL = '<img src=x onerror="alert(1)"><b>"bold"</b> & \'quoted\' </script><script>alert(2)</script>'
failures = []

# WCAG 2.1: the contrast of every text that shows, against what lies behind it.
CONTRAST = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || !box.width || !box.height || element.matches("option, :disabled, .skip")) continue;
    let behind = element, back = null, opacity = 1;
    for (; behind; behind = behind.parentElement) {
      opacity *= Number(getComputedStyle(behind).opacity);
      const color = parse(getComputedStyle(behind).backgroundColor);
      if (!back && (color.length === 3 || color[3] === 1)) back = color;
    }
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(back || [255, 255, 255])].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5 || opacity < 1) bad.push(`${element.tagName}.${element.className} "${element.textContent.slice(0, 20)}" ${ratio.toFixed(2)} ${opacity}`);
  }
  return bad;
})()"""

# What reaches over the right edge.
WIDE = """[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => `${e.tagName}.${e.className}`).slice(0, 8).join(" ")"""


def check(holds, words):
    if not holds:
        failures.append(words)


def quiet(browser, when):
    check(not browser.console, f"{when}: the console says {browser.console}")
    check(not browser.network_errors, f"{when}: requests fail: {browser.network_errors}")


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
            for problem in browser.value(CONTRAST):
                failures.append(f"contrast, {name}: {problem}")

            # Words are words, wherever they stand.
            for place in (
                ".tile h3", ".card h3", ".card .sentence", ".card .attributes", ".card .expression", "#entries",
                "#engine", "#daemon", "#filter-source",
            ):
                shown = browser.value(f"document.querySelector('{place}').textContent")
                check("<b>" in shown and "onerror" in shown, f"{place} does not show the words: {shown!r}")
            check(browser.value("document.querySelectorAll('b b, img[src=x], main script, h3 b').length") == 0, "markup")

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
            browser.call(
                "Emulation.setDeviceMetricsOverride", width=360, height=780, deviceScaleFactor=1, mobile=False
            )
            browser.wait("innerWidth <= 360")
            width = browser.value("document.documentElement.scrollWidth")
            check(width <= 360, f"{width} pixels wide where there are 360: {browser.value(WIDE)}")
            quiet(browser, name)
            others = [url for url in browser.requests if not url.startswith((address, "blob:", "data:"))]
            check(not others, f"requests elsewhere: {others}")

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
        day(2000)
        day(3000)
        after = size()
        shown = int(browser.value("document.querySelector('#timeline-count').textContent").replace(",", ""))
        check(shown <= 3000, f"{shown} entries are kept")
        check(after[0] <= before[0] + 40, f"the page grew from {before[0]} to {after[0]} elements")
        check(after[1] <= before[1] + 4_000_000, f"the page grew from {before[1]} to {after[1]} bytes")
        check(browser.value("document.querySelectorAll('.card').length") <= 24, "too many cards")
        quiet(browser, "after many lines")
        print(f"elements {before[0]} -> {after[0]}, heap {before[1]} -> {after[1]} bytes")
finally:
    daemon.kill()
    daemon.wait()

for failure in failures:
    print(failure)
sys.exit(1 if failures else 0)
