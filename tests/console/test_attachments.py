"""Files of cases: a few kinds by their content, bounded in bytes, number and time, and only ever downloads."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from starlette.types import Message

from sensor.cases.file_kinds import MOST_FILE_BYTES
from sensor.console.people.gate import COOKIE
from sensor.console.web import furniture
from sensor.console.web.furniture import POLICY
from sensor.ledger.write.casework import MOST_FILES
from tests.console.test_casework import put_back, refusal
from tests.console.workers import OWN, CaseRoom, Worker, case_room
from tests.ledger.test_case_commands import BAD, GOOD
from tests.people.desk import audited, cookie_of

PATH = "/cases/1/attachments"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaseRoom]:
    folder = tmp_path_factory.mktemp("room")
    with case_room(f"sqlite:///{folder}/ledger.db", folder) as made:
        yield made


@pytest.fixture(scope="module")
def officer(room: CaseRoom) -> Worker:
    return room.worker("li")


@pytest.fixture(scope="module")
def lead(room: CaseRoom) -> Worker:
    return room.worker("chen")


@pytest.fixture(autouse=True)
def fresh(room: CaseRoom) -> None:
    put_back(room, 1)


def part(name: str, content: bytes, file_name: bytes | None = None) -> bytes:
    """A part of a form, as bytes; its boundary is b."""
    file = b"" if file_name is None else b'; filename="' + file_name + b'"'
    return b"--b\r\nContent-Disposition: form-data; name=" + name.encode() + file + b"\r\n\r\n" + content + b"\r\n"


TOKEN, END = part("token", b"TOKEN"), b"--b--\r\n"


def stored(room: CaseRoom) -> list[Path]:
    assert room.clerk.files is not None
    return sorted(room.clerk.files.path.glob("*"))


@pytest.mark.parametrize(("content", "name", "kind"), GOOD)
def test_what_is_attached_comes_back_as_a_download_and_nothing_else(
    room: CaseRoom, officer: Worker, content: bytes, name: str, kind: str
) -> None:
    assert officer.upload(PATH, content, name or "x", steps="1", why="as sent").status_code == 303
    digest = hashlib.sha256(content).hexdigest()
    assert room.ledger.reader.attachments(1)[0].kind == kind
    for method in (officer.get, officer.head):
        answer = method(f"{PATH}/1")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        assert answer.headers["content-security-policy"] == f"{POLICY}; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert officer.get(f"{PATH}/1").content == content
    assert officer.get(f"{PATH}/1", headers={"Range": "bytes=0-1,1-2,2-3"}).content == content
    assert digest in officer.get("/cases/1").text
    rows = [
        row
        for row in audited(f"sqlite:///{stored(room)[0].parents[1]}/beside.db")
        if row["action"] == "attachment.export"
    ]
    assert (rows[-1]["objects"], rows[-1]["query"]["sha256"]) == (["case:1"], digest)


@pytest.mark.parametrize("content", BAD)
def test_pages_programs_and_what_is_unclear_come_in_under_no_name(
    room: CaseRoom, officer: Worker, content: bytes
) -> None:
    before = stored(room)
    answer = officer.upload(PATH, content, "a.pdf", steps="1", why="kept")
    assert (answer.status_code, "none of these by its content" in refusal(answer)) == (400, True)
    assert ">kept</textarea>" in answer.text
    assert stored(room) == before
    assert room.ledger.reader.attachments(1) == []


def test_a_file_that_is_two_things_is_a_download_of_the_first(officer: Worker) -> None:
    polyglot = b"%PDF-1.7\n<html><script>alert(1)</script></html>\nPK\x03\x04"
    assert officer.upload(PATH, polyglot, "a.html", steps="1").status_code == 303
    answer = officer.get(f"{PATH}/1")
    assert answer.headers["content-disposition"].endswith("a.html.pdf")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/x", "..\\..\\boot.ini", "C:\\x\\y.txt", "/etc/passwd", "..", ".", "", "a\0b.txt",
        "a\r\nSet-Cookie: x=1", "\u202egpj.exe", "<img src=x onerror=alert(1)>.txt", "=cmd|' /C calc'!A0", "x" * 5_000,
        "报告 «最终».txt", 'a";filename=b.html',
    ],
)  # fmt: skip
def test_no_name_is_a_path_a_header_or_a_tag(room: CaseRoom, officer: Worker, name: str) -> None:
    before = {path.name for path in stored(room)}
    disposition = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode("utf-8", "replace")
    content = b"hello " + name.encode("utf-8", "replace")[:20].hex().encode()
    fields = (part("token", officer.token.encode()), part("steps", b"1"), part("file", content, disposition))
    body = b"".join((*fields, b"--b--\r\n"))
    headers = {**OWN, "content-type": "multipart/form-data; boundary=b"}
    answer = officer.post(PATH, content=body, headers=headers)
    assert answer.status_code in (303, 400)
    if answer.status_code == 400:  # such headers are none
        assert {path.name for path in stored(room)} == before
        return
    (file,) = room.ledger.reader.attachments(1)
    assert not set(file.name) & set("/\\\0\r\n\u202e")
    assert len(file.name) <= 120
    (new,) = {path.name for path in stored(room)} - before
    assert new == file.sha256
    page = officer.get("/cases/1").text
    assert "<img" not in page
    served = officer.get(f"{PATH}/1").headers["content-disposition"]
    assert re.fullmatch(r"attachment; filename\*=UTF-8''[\w.%~-]+\.txt", served), served
    assert "\n" not in unquote(served)


def test_a_file_that_was_changed_on_the_disk_is_not_handed_out(room: CaseRoom, officer: Worker) -> None:
    officer.upload(PATH, b"what was found", "a.txt", steps="1")
    file = room.ledger.reader.attachments(1)[0]
    assert room.clerk.files is not None
    path = room.clerk.files.path / file.sha256
    for change in (lambda: path.write_bytes(b"something else"), path.unlink):
        change()
        answer = officer.get(f"{PATH}/1")
        assert answer.status_code == 500
        assert "not what was attached" in answer.text
        assert "something" not in answer.text
        assert str(path) not in answer.text


def test_ten_thousand_files_are_forty(room: CaseRoom, officer: Worker) -> None:
    """Once the bound is met, nothing of the others stays."""
    for at in range(MOST_FILES):
        room.clerk.attach(1, f"many {at}".encode(), "a.txt", "account:li", room.now_ns)
    there = stored(room)
    for at in range(12):
        answer = officer.upload(PATH, f"more {at}".encode(), "a.txt", steps=room.steps(1))
        assert (answer.status_code, f"at most {MOST_FILES} attachments" in refusal(answer)) == (400, True)
    assert stored(room) == there
    assert len(room.ledger.reader.attachments(1)) == MOST_FILES


def test_what_is_too_large_is_refused_before_it_is_kept(room: CaseRoom, officer: Worker) -> None:
    before = stored(room)
    answer = officer.upload(PATH, b"a" * (MOST_FILE_BYTES + 1), steps="1")
    assert (answer.status_code, "at most 10 MiB" in refusal(answer)) == (400, True)
    assert officer.upload(PATH, b"a" * (MOST_FILE_BYTES + 100_000), steps="1").status_code == 413
    assert officer.upload(PATH, b"", steps="1").status_code == 400
    token = {"token": officer.token, "why": "x" * 70_000}
    assert officer.post("/cases/1/note", data=token, headers=OWN).status_code == 413
    assert officer.post("/cases/1/attachments/remove", data=token, headers=OWN).status_code == 413
    assert stored(room) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b\r\n\r\n--b--\r\n",
        part("file", b"first, without a token", b"a") + END,
        part("role", b"lead") + END,
        TOKEN.replace(b"form-data", b"attachment") + END,
        TOKEN + TOKEN + END,
        TOKEN + part("file", b"x", b"a") + part("file", b"y", b"b") + END,
        TOKEN + part("file", b"x") + END,
        TOKEN + part("why", b"x", b"a") + END,
        TOKEN + part("file", b"cut off", b"a"),
        b"--b\r\n" + b"X: y\r\n" * 50 + b"\r\nx\r\n" + END,
        b"--b\r\nX: " + b"y" * 5_000 + b"\r\n\r\nx\r\n" + END,
        part("token", b"\xff" * 20) + END,
        TOKEN + part("why", b"z" * 20_000) + END,
        TOKEN + b"".join(part(f"w{at}", b"z") for at in range(500)) + END,
    ],
)
def test_what_is_no_such_form_is_refused_whatever_it_is(room: CaseRoom, officer: Worker, body: bytes) -> None:
    before = stored(room)
    headers = {**OWN, "content-type": "multipart/form-data; boundary=b"}
    answer = officer.post(PATH, content=body.replace(b"TOKEN", officer.token.encode()), headers=headers)
    assert answer.status_code in (400, 403), answer.text
    for kind in ("multipart/form-data", "multipart/form-data; boundary=" + "b" * 500, "text/plain", ""):
        assert officer.post(PATH, content=body, headers={**OWN, "content-type": kind}).status_code == 400
    assert stored(room) == before
    assert room.ledger.reader.attachments(1) == []


def test_a_slow_upload_ends_and_nobody_waits_for_it(room: CaseRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(furniture, "UPLOAD_S", 0.4)
    before, sent = stored(room), []
    cookie = cookie_of(room.door, "li")
    token = room.worker("li").token

    async def receive() -> Message:
        await asyncio.sleep(0.05)
        head = b"--b\r\nContent-Disposition: form-data; name=token\r\n\r\n" + token.encode()
        return {"type": "http.request", "body": head[: 1 + len(sent)] or b"x", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [
        (b"host", b"testserver"), (b"cookie", f"{COOKIE}={cookie}".encode()), (b"sec-fetch-site", b"same-origin"),
        (b"content-type", b"multipart/form-data; boundary=b"),
    ]  # fmt: skip
    scope: Any = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"",
        "headers": headers, "scheme": "http", "server": ("testserver", 80), "client": ("192.0.2.7", 1),
        "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    began = time.monotonic()
    asyncio.run(room.app(scope, receive, send))
    assert time.monotonic() - began < 3.0
    assert [message.get("status") for message in sent if message["type"] == "http.response.start"] in ([413], [400])
    assert stored(room) == before


def test_who_is_not_signed_in_sends_nothing(room: CaseRoom, officer: Worker) -> None:
    stranger = Worker(room.app, follow_redirects=False)
    answer = stranger.post(PATH, files={"file": ("a.txt", b"x")}, headers=OWN)
    assert answer.status_code == 401
    assert stranger.get(f"{PATH}/1").status_code == 303
    assert officer.get(f"{PATH}/1").status_code == 404


def test_a_lead_removes_a_file_and_says_why(room: CaseRoom, officer: Worker, lead: Worker) -> None:
    officer.upload(PATH, b"the wrong one", "wrong.txt", steps="1")
    assert "attachments/remove" not in officer.get("/cases/1").text
    fields = {"number": "1", "steps": "2"}
    assert officer.fill_in(f"{PATH}/remove", why="x", **fields).status_code == 403
    assert "Say what was found or done" in refusal(lead.fill_in(f"{PATH}/remove", why="", **fields))
    assert lead.fill_in(f"{PATH}/remove", why="of another case", **fields).status_code == 303
    page = lead.get("/cases/1").text
    assert "account chen: of another case" in page
    assert f'href="{PATH}/1"' not in page
    for browser in (officer, lead):
        assert browser.get(f"{PATH}/1").status_code == 404
    assert not [path for path in stored(room) if path.read_bytes() == b"the wrong one"]


def test_a_name_of_a_person_stands_on_no_page(room: CaseRoom) -> None:
    """Case 5 is a person's; files are often called by names."""
    from tests.console.province import PERSONS_NAME

    put_back(room, 5)
    browser = room.worker("xu")
    assert browser.upload("/cases/5/attachments", b"letter", f"{PERSONS_NAME}的说明.txt", steps="1").status_code == 303
    assert PERSONS_NAME not in browser.get("/cases/5").text
    assert quote(PERSONS_NAME) not in browser.get("/cases/5/attachments/1").headers["content-disposition"]
    place = f"sqlite:///{stored(room)[0].parents[1]}/beside.db"
    changes = [row for row in audited(place) if row["kind"] == "change"]
    assert PERSONS_NAME not in str(changes)
