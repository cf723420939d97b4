"""Drives a report in Chromium, from a file and without a network: what is drawn, what the fields do, keyboard, narrow
screens, both schemes, no script.

Arguments: the page, and a JSON object with what it must have: `cards`, `sources`, `evil` (whether names are markup),
`shots` (how many pictures), `partial` (whether some faces have neither expression nor pose). With FACELLM_SCREENSHOTS set to a folder, pictures of the page go there. Prints what is
wrong; the exit status is 1 then.
"""

import json
import os
import pathlib
import sys

from browser import Browser
from checks import SHOWN, Checks

page = pathlib.Path(sys.argv[1]).resolve().as_uri()
wanted = json.loads(sys.argv[2])
screenshots = os.environ.get("FACELLM_SCREENSHOTS")
checks = Checks()
check = checks.check

# Boxes of one kind: how many, the narrowest and the lowest, and their colours.
BOXES = """((selector) => {
  const all = [...document.querySelectorAll(selector)], boxes = all.map((e) => e.getBoundingClientRect());
  return { count: all.length, width: Math.min(...boxes.map((b) => b.width)), height: Math.min(...boxes.map((b) => b.height)),
    colors: new Set(all.map((e) => getComputedStyle(e).backgroundColor)).size };
})"""

# WCAG 2.1, 1.4.11: each colour of an expression against the sheet that it lies on.
COLOURS = """(() => {
  const light = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = light(getComputedStyle(document.querySelector(".timeline")).backgroundColor);
  return [...new Set([...document.querySelectorAll(".bar i, .ribbon i:not(.answer)")].map((e) => getComputedStyle(e).backgroundColor))]
    .map((color) => [color, light(color)]).map(([color, l]) => [color, (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05)])
    .filter(([, ratio]) => ratio < 3).map(([color, ratio]) => `${color} ${ratio.toFixed(2)}`).join(", ");
})()"""


def open_page(browser):
    browser.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    browser.open(page)
    browser.wait("document.readyState === 'complete' && document.querySelectorAll('.card').length > 0")


def shown(browser):
    return browser.value("document.querySelectorAll('.card:not([hidden])').length")


def drawn(browser, when):
    """Cards, timeline, ribbons and poses are there and to be seen."""
    boxes = lambda selector: browser.value(f"{BOXES}({json.dumps(selector)})")
    check(shown(browser) == wanted["cards"], f"{when}: {shown(browser)} cards of {wanted['cards']}")
    # As many as there are cards, or at least one.
    enough = lambda count: 1 <= count <= wanted["cards"] if wanted.get("partial") else count == wanted["cards"]
    rows = boxes(".timeline li .bar")
    check(rows["count"] == wanted["cards"] and rows["width"] >= 3 and rows["height"] >= 8, f"{when}: bars: {rows}")
    ribbons = boxes(".ribbon")
    check(enough(ribbons["count"]) and ribbons["width"] > 100 and ribbons["height"] >= 16, f"{when}: ribbons: {ribbons}")
    segments = boxes(".ribbon i:not(.answer)")
    check(segments["count"] >= ribbons["count"] and segments["height"] >= 16, f"{when}: segments: {segments}")
    check(segments["colors"] >= wanted.get("labels", 1), f"{when}: colours of expressions: {segments}")
    poses = boxes(".pose svg")
    check(enough(poses["count"]) and poses["width"] > 80, f"{when}: poses: {poses}")
    check(boxes(".axis span")["count"] >= 2, f"{when}: the axis has no times")
    browser.value("[...document.images].forEach((i) => { i.loading = 'eager'; })")
    browser.wait("[...document.images].every((i) => i.complete)")
    pictures = browser.value("[...document.images].filter((i) => i.naturalWidth > 32).length")
    check(pictures == wanted.get("shots", 0), f"{when}: {pictures} pictures")
    check("The sums add up." in browser.value("document.body.textContent"), f"{when}: no ledger")


def fields(browser):
    """What the fields above the cards do."""
    cards = wanted["cards"]

    def fill(name, text):
        browser.value(f"document.getElementById('{name}').focus(); document.getElementById('{name}').select?.()")
        browser.call("Input.insertText", text=text)

    def empty(name):
        browser.value(
            f"(() => {{ const e = document.getElementById('{name}'); e.value = ''; e.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
        )

    first = browser.value("document.querySelector('.card h3').textContent")
    if not wanted.get("evil"):
        fill("f-text", first)
        browser.wait(f"document.querySelectorAll('.card:not([hidden])').length < {cards} || {cards} === 1")
        check(browser.value("!document.querySelector('.card').hidden"), "the card that was looked for is not shown")
        empty("f-text")
    fill("f-text", "no such word anywhere")
    browser.wait("document.querySelectorAll('.card:not([hidden])').length === 0")
    told = browser.value("document.querySelector('#f-count').textContent")
    check(told == f"0 of {cards}", f"nothing is shown, and told is {told!r}")
    dim = browser.value("document.querySelectorAll('.timeline li.dim').length")
    check(dim == cards, f"{dim} rows of {cards} stand back")
    checks.contrast(browser, "nothing fits")
    # A row leads to its card, also where the fields hide that.
    browser.value("document.querySelector('.timeline a').focus()")
    browser.key("Enter", text="\r")
    browser.wait("location.hash === '#face-1' && !document.querySelector('.card').hidden")
    check(shown(browser) == cards, "the fields were not emptied for the card that was asked for")
    browser.wait("document.querySelector('.card').getBoundingClientRect().top < innerHeight")

    longest = browser.value("Math.max(...[...document.querySelectorAll('.card')].map((c) => Number(c.dataset.seconds)))")
    fill("f-seconds", f"{longest - 0.001:.3f}")
    browser.wait(
        "[...document.querySelectorAll('.card')].every((c) => c.hidden === (Number(c.dataset.seconds) <"
        f" {longest - 0.001:.3f}))"
    )
    check(1 <= shown(browser) < cards or cards == 1, f"{shown(browser)} cards of {cards} were there longest")
    empty("f-seconds")
    for name, attribute in (("f-source", "source"), ("f-expression", "expression")):
        there = browser.value(f"Boolean(document.getElementById('{name}'))")
        if attribute == "source":
            check(there == (wanted["sources"] > 1), f"{name} is {'there' if there else 'missing'}")
        if not there:
            continue
        for value in browser.value(f"[...document.getElementById('{name}').options].map((o) => o.value).filter(Boolean)"):
            browser.value(
                f"(() => {{ const e = document.getElementById('{name}'); e.value = {json.dumps(value)};"
                " e.dispatchEvent(new Event('input', {bubbles: true})); })()"
            )
            values = browser.value(
                f"[...new Set([...document.querySelectorAll('.card:not([hidden])')].map((c) => c.dataset.{attribute}))]"
            )
            check(values == [value], f"{name} {value!r} shows {values}")
        empty(name)
    check(shown(browser) == cards, "empty fields do not show everything")


def keyboard(browser):
    """Everything that does something is reached by Tab, in order."""
    browser.value("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    browser.open("about:blank")
    open_page(browser)
    browser.key("Tab")
    check(browser.value("document.activeElement.className") == "skip", "the first stop is not the skip link")
    check(browser.value("document.activeElement.getBoundingClientRect().left >= 0"), "the skip link is not to be seen")
    browser.key("Enter", text="\r")
    browser.wait("location.hash === '#faces'")
    stops = []
    for _ in range(12):
        browser.key("Tab")
        stops.append(
            browser.value("(({ tagName, id, className }) => [tagName, id, className].join('.'))(document.activeElement)")
        )
        if stops[-1].startswith("BODY"):
            break  # Behind the last stop.
        ring = browser.value("getComputedStyle(document.activeElement).outlineStyle")
        check(ring != "none", f"the focus on {stops[-1]} is not to be seen")
    check(any("f-text" in stop for stop in stops), f"the fields are not reached by keyboard: {stops}")
    if browser.value("document.querySelectorAll('summary').length"):
        browser.value("document.querySelector('summary').focus()")
        browser.key("Enter", text="\r")
        browser.wait("document.querySelector('details').open")


for dark in (False, True):
    name = "dark" if dark else "light"
    with Browser(dark=dark, reduced_motion=dark) as browser:
        open_page(browser)
        browser.wait("!document.querySelector('#filters').hidden")
        drawn(browser, name)
        check(not browser.value(COLOURS), f"{name}: colours that hardly show: {browser.value(COLOURS)}")
        browser.value("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
        checks.contrast(browser, name)
        checks.names(browser, name)
        ground = browser.value("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        check((max(ground) < 60) == dark, f"{name}: the ground is {ground}")
        if dark:
            checks.calm(browser, name)
        else:
            fields(browser)
            keyboard(browser)
        if wanted.get("evil"):
            checks.harmless(browser, name)
            for place in ("h1", ".card h3", ".card .facts", ".whole, .sentences", ".card table", ".story", "#file ~ ul", ".rows a"):
                texts = browser.value(f"[...document.querySelectorAll({json.dumps(place)})].map((e) => e.textContent)")
                check(any(SHOWN in text for text in texts), f"{name}: {place} does not show the words: {texts[:2]}")
        if screenshots:
            browser.screenshot(f"{screenshots}/report-{name}.png", whole=True)
        checks.narrow(browser, name)
        drawn(browser, f"{name}, 360 pixels")
        if screenshots:
            browser.screenshot(f"{screenshots}/report-{name}-360.png", whole=True)
        checks.quiet(browser, name)
        checks.requests(browser, (page,), name)

# Without a script everything can be read; only the fields, which could do nothing, are not there.
with Browser() as browser:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    open_page(browser)
    drawn(browser, "no script")
    check(browser.value("document.querySelector('#filters').hidden"), "there are fields that do nothing")
    checks.quiet(browser, "no script")

checks.finish()
