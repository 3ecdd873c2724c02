#!/usr/bin/env python3
# browse.py: uses a page of pmem crash --html in chromium as a person would: browse.py PAGE EVENTS FINDINGS [SCREENSHOT]
# SPDX-License-Identifier: BSD-3-Clause
"""Prints TAP. The browser is driven through its own debugging pipe, so that nothing else is needed."""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time

PAGE, EVENTS, FINDINGS = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
PATIENCE = 120  # seconds, on a busy machine


class Browser:
    """Chromium, and one page of it: https://chromedevtools.github.io/devtools-protocol/"""

    def __init__(self, profile):
        to_browser, self.out = os.pipe()
        self.into, from_browser = os.pipe()

        def take_descriptors():
            os.dup2(to_browser, 30)  # out of the way of 3 and 4
            os.dup2(from_browser, 31)
            os.dup2(30, 3)
            os.dup2(31, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe",
             "--window-size=1500,800", "--user-data-dir=" + profile, "about:blank"],
            preexec_fn=take_descriptors, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.session, self.complaints = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log":
            self.call(domain + ".enable")

    def read(self):
        while b"\0" not in self.buffer:
            part = os.read(self.into, 1 << 20)
            if not part:
                raise RuntimeError("the browser is gone")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("method") == "Runtime.exceptionThrown" or (
                    answer.get("method") == "Log.entryAdded" and answer["params"]["entry"]["level"] == "error"):
                self.complaints.append(json.dumps(answer["params"])[:500])
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    def drawn(self):
        """After the next frame: how many events it shows."""
        return self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
                             "() => done(Number(document.body.dataset.drawn)))))")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def key(self, key):
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")


# Goes over the chart with a pointer that the page takes for a real one, until the tip says what is looked for.
SEARCH = """(() => {
    const canvas = document.getElementById("canvas"), tip = document.getElementById("tip");
    const box = canvas.getBoundingClientRect();
    for (let y = 46; y < box.height; y += 3)
        for (let x = 120; x < box.width; x += 3) {
            canvas.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + x, clientY: box.top + y}));
            if (tip.style.display === "block" && tip.textContent.includes(WHAT))
                return [box.left + x, box.top + y];
        }
    return null;
})()"""

count = 0


def told(name, passed, why=""):
    global count
    count += 1
    print(f"{'ok' if passed else 'not ok'} {count} - {name}", flush=True)
    if not passed:
        print(f"# {why}", flush=True)


def test(browser):
    started = time.monotonic()
    browser.call("Page.navigate", url="file://" + PAGE)
    while not browser.evaluate("document.readyState === 'complete' && Boolean(document.body.dataset.drawn)"):
        if time.monotonic() - started > PATIENCE:
            raise RuntimeError("the page has drawn nothing")
    print(f"# {EVENTS} events at least: there after {time.monotonic() - started:.2f} s")

    findings = browser.evaluate("document.querySelectorAll('#findings button').length")
    told("it lists the findings", findings == FINDINGS, findings)
    told("the first one is chosen, and its sentence stands beside the chart",
         browser.evaluate("document.querySelector('#findings button').getAttribute('aria-current')") == "true" and
         browser.text("#findings button").endswith(browser.text("#finding strong")))
    told("its address is in the URL", len(browser.evaluate("location.hash")) > 4)
    told("source lines are marked", browser.evaluate("document.querySelectorAll('#source .marked').length") > 0)

    at = browser.evaluate(SEARCH.replace("WHAT", json.dumps("LOST at the cut")))
    told("a lost store can be found on the chart", at is not None)
    if at:
        browser.mouse("mouseMoved", 1, 1)
        browser.mouse("mouseMoved", *at)
        told("hovering tells what it is", "store" in browser.text("#tip") and "LOST" in browser.text("#tip"))
        browser.mouse("mousePressed", *at, button="left", clickCount=1)
        browser.mouse("mouseReleased", *at, button="left", clickCount=1)
        told("a click chooses it", "LOST at the cut" in browser.text("#details"), browser.text("#details"))

    before = browser.text("#details")
    browser.key("ArrowRight")
    told("the right arrow goes to the next event", browser.text("#details") != before)
    browser.key("ArrowLeft")
    told("the left arrow goes back", browser.text("#details") == before)

    browser.key("0")
    everything = browser.drawn()
    told("0 shows everything", everything >= EVENTS, everything)
    drawing = browser.evaluate("(async () => { const start = performance.now(); for (let i = 0; i < 10; i++) {"
                               "document.getElementById('fit').click();"
                               "await new Promise(requestAnimationFrame); } return (performance.now() - start) / 10; })()")
    print(f"# drawing {everything} events: {drawing:.1f} ms a frame")
    if EVENTS > 60:  # few fit as they are
        for _ in range(8):
            browser.mouse("mouseWheel", 700, 400, deltaX=0, deltaY=-600)
        closer = browser.drawn()
        told("the wheel goes closer", closer < everything, closer)
        at_wheel = browser.evaluate("document.getElementById('canvas').toDataURL()")
        browser.mouse("mousePressed", 700, 400, button="left", clickCount=1)
        browser.mouse("mouseMoved", 500, 300, button="left", buttons=1)
        browser.mouse("mouseReleased", 500, 300, button="left", clickCount=1)
        browser.drawn()
        told("dragging moves", browser.evaluate("document.getElementById('canvas').toDataURL()") != at_wheel)
    browser.key("c")
    told("c shows the cut", 0 < browser.drawn() <= everything)
    browser.key("n")
    told("n goes to the next finding, and stays at the last",
         browser.evaluate("document.querySelectorAll('[aria-current=true]').length") == 1)

    paper = ("(() => { const canvas = document.getElementById('canvas');"
             "return canvas.getContext('2d').getImageData(canvas.width - 3, 3, 1, 1).data[0]; })()")
    for scheme, fits in ("light", lambda red: red > 200), ("dark", lambda red: red < 60):
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.drawn()
        told(f"it is {scheme} where the user wants that", fits(browser.evaluate(paper)), browser.evaluate(paper))
    if len(sys.argv) > 4:
        shot = browser.call("Page.captureScreenshot", format="png")["data"]
        with open(sys.argv[4], "wb") as file:
            file.write(base64.b64decode(shot))
    told("the browser has nothing to complain about", not browser.complaints, browser.complaints)


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    chromium = Browser(folder)
    try:
        test(chromium)
    finally:
        chromium.process.kill()
        chromium.process.wait()
print(f"1..{count}")
