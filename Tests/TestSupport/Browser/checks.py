"""What must hold for every page of the project, whoever made it: asked of a page that a Browser has open."""

# Words that are markup in one place or another: HTML, the end of a script, a line break that only JavaScript counts as
# one, a terminal's escape sequence and a turn of the direction of writing.
EVIL = (
    "<img src=x onerror=\"document.title='owned'\"><b>\"bold\"</b> & 'quoted' </script><script>alert(2)</script>"
    "<svg onload=alert(3)>\u2028\x1b[31mred\x1b]0;owned\x07\u202etxt.exe"
)

# What of it a page must show, letter by letter.
SHOWN = "<img src=x onerror=\"document.title='owned'\"><b>\"bold\"</b> & 'quoted' </script><script>alert(2)</script><svg onload=alert(3)>"

# WCAG 2.1, 1.4.3: the contrast of every text that shows, against what lies behind it.
CONTRAST = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || !box.width || !box.height || element.matches("option, :disabled, .skip, script, style, title")) continue;
    const style = getComputedStyle(element), isDrawn = element instanceof SVGElement;
    let behind = element, back = null, opacity = 1;
    // In a drawing, its first rectangle is the ground.
    if (isDrawn) back = parse(getComputedStyle(element.ownerSVGElement.querySelector("rect")).fill);
    for (; behind; behind = behind.parentElement) {
      opacity *= Number(getComputedStyle(behind).opacity);
      const color = parse(getComputedStyle(behind).backgroundColor);
      if (!back && (color.length === 3 || color[3] === 1)) back = color;
    }
    const front = parse(isDrawn ? style.fill : style.color);
    const [a, b] = [light(front), light(back || [255, 255, 255])].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5 || opacity < 1) bad.push(`${element.tagName}.${element.className} "${element.textContent.slice(0, 20)}" ${ratio.toFixed(2)} ${opacity}`);
  }
  return bad;
})()"""

# What reaches over the right edge, but for what scrolls in a box of its own or ends with an ellipsis.
WIDE = """[...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.parentElement.closest(".scroll") && !e.closest(".skip, .unseen"))
  .filter((e) => { for (let a = e; a; a = a.parentElement) if (getComputedStyle(a).textOverflow === "ellipsis") return false; return true; })
  .map((e) => `${e.tagName}.${e.className}`).slice(0, 8).join(" ")"""

# WCAG 2.1, 2.3.3: what still moves by itself.
MOVING = """[...document.querySelectorAll("*")].filter((e) => {
    const style = getComputedStyle(e), long = (times) => times.split(",").some((time) => parseFloat(time) > 0);
    return style.animationName !== "none" || (style.transitionProperty !== "none" && long(style.transitionDuration)) || style.scrollBehavior === "smooth";
  }).map((e) => `${e.tagName}.${e.className}`).slice(0, 8).join(" ")"""

# WCAG 2.1, 4.1.2 and 1.1.1: roles that need a name.
NAMED = {
    "button", "link", "textbox", "searchbox", "spinbutton", "combobox", "checkbox", "image", "img", "dialog", "heading",
    "region", "table",
}


class Checks:
    """Collects what does not hold."""

    def __init__(self):
        self.failures = []

    def check(self, holds, words):
        if not holds:
            self.failures.append(words)

    def contrast(self, browser, when):
        for problem in browser.value(CONTRAST):
            self.failures.append(f"contrast, {when}: {problem}")

    def narrow(self, browser, when, width=360):
        """Nothing has to be scrolled sideways."""
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=780, deviceScaleFactor=1, mobile=False)
        browser.wait(f"innerWidth <= {width}")
        wide = browser.value("document.documentElement.scrollWidth")
        self.check(wide <= width, f"{when}: {wide} pixels wide where there are {width}: {browser.value(WIDE)}")
        over = browser.value(WIDE)
        self.check(not over, f"{when}: over the edge of {width} pixels: {over}")

    def names(self, browser, when):
        """Whoever does not see the page hears what its parts are."""
        for node in browser.call("Accessibility.getFullAXTree")["nodes"]:
            role = node.get("role", {}).get("value")
            if not node.get("ignored") and role in NAMED:
                self.check(node.get("name", {}).get("value", "").strip(), f"{when}: a {role} has no name: {node}")

    def calm(self, browser, when):
        moving = browser.value(MOVING)
        self.check(not moving, f"{when}: moves although less motion is wanted: {moving}")

    def quiet(self, browser, when):
        """Neither the console nor the network complains."""
        self.check(not browser.console, f"{when}: the console says {browser.console}")
        self.check(not browser.network_errors, f"{when}: requests fail: {browser.network_errors}")

    def harmless(self, browser, when):
        """No word became markup, and none was carried out."""
        made = browser.value(
            "document.querySelectorAll('b b, [onerror], [onload], img[src=x], svg svg, bdi *, h3 b, main script').length"
        )
        self.check(made == 0, f"{when}: {made} elements were made of words")
        self.check(browser.value("document.title") != "owned", f"{when}: words were carried out")

    def requests(self, browser, own, when):
        """Nothing was asked of another place."""
        others = [url for url in browser.requests if not url.startswith((*own, "blob:", "data:"))]
        self.check(not others, f"{when}: requests elsewhere: {others}")

    def finish(self):
        for failure in self.failures:
            print(failure)
        raise SystemExit(1 if self.failures else 0)
