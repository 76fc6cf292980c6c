"""Chromium as a person uses it: clicks, keys and files, over its own pipe (Chrome DevTools Protocol). Scripts of pages
are off, and what is looked at is the tree, so nothing here is done by a script of ours.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.exporters import browser

FLAGS = [
    *(flag for flag in browser.FLAGS if not flag.startswith("--virtual-time")),
    "--host-resolver-rules=MAP testserver 127.0.0.1",
]
WAIT_S = 30.0


class Page:
    """One tab."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._rest, self._loaded = 0, b"", 0
        self._session: str | None = None
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "DOM"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **values: Any) -> Any:
        """A command and its answer; what happens meanwhile is counted."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": values}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            piece = os.read(self._answers, 1 << 20)
            assert piece, "Chromium ended"
            self._rest += piece
        text, _end, self._rest = self._rest.partition(b"\0")
        answer = json.loads(text)
        self._loaded += answer.get("method") == "Page.loadEventFired"
        return answer

    def screen(self, width: int, height: int, *, mobile: bool) -> None:
        """A desktop, or a phone that is touched. Scripts are off from here on."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.do("Emulation.setScriptExecutionDisabled", value=True)

    def open(self, url: str) -> None:
        """Go there, and wait until it is there."""
        before = self._loaded
        self.do("Page.navigate", url=url)
        self._wait(before)

    def _wait(self, before: int) -> None:
        until = time.monotonic() + WAIT_S
        while self._loaded == before:
            assert time.monotonic() < until, "no page came"
            self._next()

    def find(self, selector: str) -> int:
        """An element; fails where there is none."""
        root = self.do("DOM.getDocument", depth=0)["root"]["nodeId"]
        node: int = self.do("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        assert node, f"there is no {selector} on the page"
        return node

    def html(self) -> str:
        """The page as it stands."""
        text: str = self.do("DOM.getOuterHTML", nodeId=self.find("html"))["outerHTML"]
        return text

    def click(self, selector: str, *, leaves: bool = False) -> None:
        """With the mouse, in its middle; `leaves`: another page comes of it."""
        node, before = self.find(selector), self._loaded
        self.do("DOM.scrollIntoViewIfNeeded", nodeId=node)
        x, y = self._middle(node)
        for kind in ("mousePressed", "mouseReleased"):
            self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        if leaves:
            self._wait(before)

    def _middle(self, node: int) -> tuple[float, float]:
        quad = self.do("DOM.getContentQuads", nodeId=node)["quads"][0]
        return sum(quad[0::2]) / 4, sum(quad[1::2]) / 4

    def type(self, selector: str, text: str) -> None:
        """Into a field, in place of what stands there."""
        self.click(selector)
        self.key("a", 65, modifiers=2)
        self.do("Input.insertText", text=text)

    def type_keys(self, selector: str, text: str) -> None:
        """Key by key, as a field for dates wants it: month, day, year."""
        self.do("DOM.focus", nodeId=self.find(selector))
        for char in text:
            self.do("Input.dispatchKeyEvent", type="keyDown", key=char, text=char, windowsVirtualKeyCode=ord(char))
            self.do("Input.dispatchKeyEvent", type="keyUp", key=char, windowsVirtualKeyCode=ord(char))

    def key(self, name: str, code: int, modifiers: int = 0) -> None:
        """One key, pressed and let go."""
        for kind in ("rawKeyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, modifiers=modifiers)

    def choose(self, selector: str, value: str) -> None:
        """An option of a list, by arrows from the first one, as a keyboard does."""
        node = self.find(selector)
        text = self.do("DOM.getOuterHTML", nodeId=node)["outerHTML"]
        values = [piece.partition('"')[0] for piece in text.split('<option value="')[1:]]
        assert value in values, (selector, values)
        self.do("DOM.focus", nodeId=node)
        self.key("Home", 36)
        for _step in range(values.index(value)):
            self.key("ArrowDown", 40)

    def choose_file(self, selector: str, path: Path) -> None:
        """As the dialogue for files does."""
        self.do("DOM.setFileInputFiles", nodeId=self.find(selector), files=[str(path)])

    def picture(self, path: Path) -> None:
        """Of the whole page."""
        size = self.do("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6_000), "scale": 1}
        data = self.do("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))

    def widths(self) -> tuple[float, float]:
        """How wide the page is, and the screen."""
        found = self.do("Page.getLayoutMetrics")
        return found["cssContentSize"]["width"], found["cssLayoutViewport"]["clientWidth"]

    def axe(self) -> list[Any]:
        """What axe-core has against the page: the one script of this run, and only to look."""
        self.do("Emulation.setScriptExecutionDisabled", value=False)
        source = browser.AXE.read_text(encoding="utf-8")
        world = self.do("Page.createIsolatedWorld", frameId=self._frame(), worldName="axe")["executionContextId"]
        self.do("Runtime.evaluate", expression=source + ";0", contextId=world)
        asked = "axe.run(document, {resultTypes: ['violations']})"
        asked += ".then(f => JSON.stringify([f.passes.length, f.violations]))"
        found = self.do("Runtime.evaluate", expression=asked, contextId=world, awaitPromise=True)
        self.do("Emulation.setScriptExecutionDisabled", value=True)
        passes, violations = json.loads(found["result"]["value"])
        assert passes > 10
        return [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in violations]

    def _frame(self) -> str:
        frame: str = self.do("Page.getFrameTree")["frameTree"]["frame"]["id"]
        return frame


@contextlib.contextmanager
def chromium_page(folder: Path) -> Iterator[Page]:
    """A Chromium of its own, ended afterwards."""
    program = browser.chromium()
    assert program is not None
    commands_read, commands = os.pipe()
    answers, answers_write = os.pipe()

    def place() -> None:
        saved = os.dup(answers_write)  # either may be 3 or 4 already
        os.dup2(commands_read, 3)
        os.dup2(saved, 4)

    process = subprocess.Popen(
        [program, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", "about:blank"],
        preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(commands_read)
    os.close(answers_write)
    try:
        yield Page(commands, answers)
    finally:
        process.terminate()
        process.wait(20)
        os.close(commands)
        os.close(answers)
