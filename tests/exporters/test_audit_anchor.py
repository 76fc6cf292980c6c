"""The head of the audit arrives at a receiver of syslog, and is found in what that wrote down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.kinds.syslog import Config, Sender
from sensor.model.audit_head import AuditAnchor, AuditHead, anchors_in
from tests.delivery.receivers import Rsyslog, eventually

HEAD = AuditHead("0123456789abcdef", 42, "sha256", "a" * 64, 1_790_000_000_000_000_000)
ANCHORS = (AuditAnchor(HEAD), AuditAnchor(HEAD, "fedcba9876543210", "b" * 128))


@pytest.fixture(scope="module")
def rsyslog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rsyslog]:
    server = Rsyslog(tmp_path_factory.mktemp("rsyslog"))
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_anchor_is_found_in_what_syslog_wrote(rsyslog: Rsyslog, tmp_path: Path, transport: str) -> None:
    sender = Sender(Config(host="127.0.0.1", port=getattr(rsyslog, transport), transport=transport))  # type: ignore[arg-type]
    before = len(rsyslog.received())
    for anchor in ANCHORS:
        sender.send_anchor(anchor)
    sender.close()
    eventually(lambda: len(rsyslog.received()) >= before + len(ANCHORS))
    lines = rsyslog.received()[before:]
    assert {line["msgid"] for line in lines} == {"audit-anchor"}
    assert [anchor for line in lines for anchor in anchors_in(line["msg"])] == list(ANCHORS)
    (tmp_path / "log").write_text("\n".join(map(str, lines)))  # as somebody's own template writes it
    assert list(anchors_in((tmp_path / "log").read_text())) == list(ANCHORS)
