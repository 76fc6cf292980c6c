"""A case from new to relapsed, as docs/cases.md says it, by mouse and keyboard in Chromium: a program, so that it can
run where there is no route to anywhere. `python -m tests.console.case_run FOLDER LANGUAGE WIDTH` leaves pictures there.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn

from sensor.cases.commands import NoteCase
from sensor.ledger import Ledger
from tests.console.chromium import Page, chromium_page
from tests.console.province import END, holder
from tests.console.workers import CaseRoom, case_room
from tests.ledger.mining import DAY, MONDAY, mined
from tests.people.desk import PASSWORD

#: What the guide calls things, in both languages.
TITLES = {
    "zh": {
        "take": "承办", "move": "流转案件", "note": "只加备注", "conclude": "核查结论与现场结果", "attach": "添加附件",
        "due": "另定期限", "relapsed": "复发", "found": "核查情况",
    },
    "en": {
        "take": "Take it", "move": "Move on", "note": "Note without a move", "conclude": "Conclusion and field result",
        "attach": "Attach a file", "due": "A due date of its own", "relapsed": "relapsed", "found": "What was found",
    },
}  # fmt: skip
MOVES = ("rectifying", "re-check", "closed")


class CaseRun:
    """One run."""

    def __init__(self, room: CaseRoom, page: Page, url: str, folder: Path, language: str) -> None:
        self.room, self.page, self.url, self.folder, self.titles = room, page, url, folder, TITLES[language]
        self.faults: list[object] = []
        self.pictures = 0

    def look(self, name: str) -> str:
        """A picture, axe, and the width; the page's text."""
        self.pictures += 1
        self.page.picture(self.folder / f"{self.pictures:02}-{name}.png")
        needed, there = self.page.widths()
        faults = self.page.axe()
        if faults or needed > there:
            self.faults.append([name, faults, needed, there])
        return self.page.html()

    def unfold(self, action: str, title: str) -> None:
        """Open the form of this title."""
        assert f"<summary>{title}</summary>" in self.page.html(), title
        self.page.click(f"details:has(#form-{action}) > summary")

    def press(self, action: str) -> None:
        """The button of a form."""
        self.page.click(f"#form-{action} button", leaves=True)
        assert 'role="status"' in self.page.html(), action

    def sign_in(self) -> None:
        self.page.open(f"{self.url}/")
        self.page.type("input[name=login]", "li")
        self.page.type("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]", leaves=True)
        self.look("signed-in")

    def open_case(self) -> None:
        self.page.click("nav a[href^='/cases']", leaves=True)
        self.look("cases")
        self.page.click("a[href^='/cases/1']", leaves=True)
        self.look("new")

    def move(self, state: str, why: str) -> None:
        assert self.titles["move"] in self.page.html()
        self.page.choose("#f-move-state", state)
        self.page.type("#f-move-why", why)
        self.press("move")
        assert self.room.case(1).state == state

    def conclude(self) -> None:
        self.unfold("conclude", self.titles["conclude"])
        self.look("conclusion")
        self.page.choose("#f-conclude-conclusion", "mine")
        for measure in ("confiscated", "power-cut"):
            self.page.click(f"input[name=measure-{measure}]")
        for name, text in (("count-asic", "540"), ("hours", "1,300"), ("kwh", "370,000")):
            self.page.type(f"#f-conclude-{name}", text)
        self.page.type("#f-conclude-why", "现场核查 visited with the power company")
        self.press("conclude")
        text = self.look("concluded")
        assert self.titles["found"] in text
        assert "370,000 kWh" in text

    def attach(self) -> None:
        path = self.folder / "核查笔录.pdf"
        path.write_bytes(b"%PDF-1.7\n% a record of the visit\n")
        self.unfold("attach", self.titles["attach"])
        self.page.type("#f-attach-why", "笔录 record")
        self.page.choose_file("#f-attach-file", path)
        self.press("attach")

    def work(self) -> None:
        """From new to closed."""
        self.unfold("assign", self.titles["take"])
        self.press("assign")
        self.move("notified", "函第12号 letter 12")
        self.unfold("due", self.titles["due"])
        self.look("due")
        self.page.type_keys("#f-due-due", "12242023")
        self.press("due")
        assert "2023-12-24" in self.page.html()
        self.move("under-check", "去现场 on the way")
        self.unfold("note", self.titles["note"])
        self.page.type("#f-note-why", "他们来电 they called back")
        self.press("note")
        self.attach()
        self.conclude()
        for state in MOVES:
            self.move(state, f"已办 {state}")
        self.look("closed")

    def relapse(self) -> None:
        """The sensor sees mining again, while the console runs."""
        writer = Ledger.open(str(self.room.ledger.engine.url))
        again = mined(0, MONDAY, END + 4 * DAY, 5_000, attribution=holder(0), activity="mining")
        writer.record([again], END + 4 * DAY)
        writer.close()
        self.page.open(f"{self.url}/overview")
        self.look("overview")
        self.page.click("a[href^='/cases/1']", leaves=True)
        text = self.look("relapsed")
        case = self.room.case(1)
        assert (case.state, case.work.assignee, case.work.conclusion) == ("relapsed", "li", None), case.state
        assert self.titles["relapsed"] in text
        assert self.titles["found"] not in re.findall(r"<h2[^>]*>([^<]*)</h2>", text)

    def several(self) -> None:
        """Boxes in the list; what may not be done to one of them is said, and what was typed in a form stays."""
        self.page.click("nav a[href^='/cases']", leaves=True)
        for number in (1, 2):
            self.page.click(f"input[name=case-{number}]")
        self.page.choose("#f-bulk-do", "move-rectifying")
        self.page.type("#f-bulk-why", "一并整改 all of them")
        self.page.click("#form-bulk button", leaves=True)
        self.look("several")
        assert [self.room.case(number).state for number in (1, 2)] == ["rectifying", "new"]
        self.page.click("main a[href^='/cases/2']", leaves=True)
        self.room.clerk.command(2, [NoteCase("meanwhile")], "root", END)
        self.page.type("#f-move-why", "写了一半 half written")
        self.page.click("#form-move button", leaves=True)
        text = self.look("changed-since")
        assert "写了一半 half written</textarea>" in text
        assert 'role="alert"' in text


def main(folder: Path, language: str, width: int) -> dict[str, object]:
    """The run; what was found against its pages, and the case's history."""
    with case_room(f"sqlite:///{folder}/ledger.db", folder, (0, 1), language) as room:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        app = room.app
        server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="error", server_header=False))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            with chromium_page(folder) as page:
                page.screen(width, 1_000, mobile=width < 600)
                run = CaseRun(room, page, f"http://127.0.0.1:{port}", folder, language)
                run.sign_in()
                run.open_case()
                run.work()
                run.relapse()
                run.several()
        finally:
            server.should_exit = True
            thread.join()
        history = [(change.state, change.kind, change.who) for change in room.case(1).changes]
        return {"faults": run.faults, "pictures": run.pictures, "history": history}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])), ensure_ascii=False))
