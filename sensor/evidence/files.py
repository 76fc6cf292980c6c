"""The files themselves: one for each finding, its sections appended, bounded for each finding and in all, deleted by
age.

A full disk costs evidence and nothing else: it is counted, and what was written half is cut off.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from sensor.evidence.bounds import EvidenceBounds
from sensor.evidence.frames import section
from sensor.evidence.keeper import EvidenceKeeper
from sensor.model.events import Event
from sensor.model.finding import Finding
from sensor.model.time import DAY_NS
from sensor.signatures import SignatureSet

DEFAULT = EvidenceBounds()
SUFFIX = ".pcapng"
#: Traffic of people's machines: for the sensor's group, not for others.
FOLDER_MODE, MODE = 0o750, 0o640


def evidence_path(folder: Path, finding_id: str) -> Path:
    """Where the evidence of a finding is in a folder, if there is any."""
    return folder / f"{''.join(char for char in finding_id if char.isalnum() or char in '-_')}{SUFFIX}"


class EvidenceFiles:
    """Fed with the pipeline's events and its findings; used by the line's thread."""

    def __init__(self, folder: Path, signatures: SignatureSet, bounds: EvidenceBounds = DEFAULT) -> None:
        """Raises OSError if the folder cannot be made."""
        folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        self._folder, self._signatures = folder, signatures
        self._bounds = bounds
        self._keep_ns = int(bounds.keep_days * DAY_NS)
        self._keeper = EvidenceKeeper(bounds.flow_bytes, bounds.memory_bytes)
        self._counters: Counter[str] = Counter(flows_written=0, flows_over_bound=0, write_failures=0, files_deleted=0)
        self._total = sum(path.stat().st_size for path in self._files())
        self.trouble: str | None = None

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start, what is held in memory and what the files take."""
        return {**self._counters, **self._keeper.counters, "file_bytes": self._total}

    def add(self, events: Iterable[Event]) -> None:
        """Keep the beginnings of candidate flows."""
        self._keeper.add(events)

    def replace(self, signatures: SignatureSet) -> None:
        """Use other signatures from now on (a reload)."""
        self._signatures = signatures

    def keep(self, findings: Iterable[object]) -> None:
        """Write what is complete of the flows of these findings (other records are passed over). Raises nothing."""
        for finding in findings:
            if isinstance(finding, Finding):
                for flow in self._keeper.take(finding):
                    self._write(
                        finding.finding_id,
                        section(finding.finding_id, flow, self._signatures, self._bounds.payload_bytes),
                    )

    def prune(self, now_ns: int) -> None:
        """Delete files that are too old, and the oldest while all take too much. Raises nothing."""
        try:
            files = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in self._files())
            self._total = sum(size for _, size, _ in files)
            for changed_ns, size, path in files:
                if changed_ns >= now_ns - self._keep_ns and self._total <= self._bounds.total_bytes:
                    break
                path.unlink()
                self._total -= size
                self._counters["files_deleted"] += 1
        except OSError as error:
            self._failed(error)

    def path(self, finding_id: str) -> Path:
        """Where the evidence of a finding is, if there is any."""
        return evidence_path(self._folder, finding_id)

    def _write(self, finding_id: str, data: bytes) -> None:
        path = self.path(finding_id)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
            try:
                size = os.fstat(fd).st_size
                if size + len(data) > self._bounds.finding_bytes or self._total + len(data) > self._bounds.total_bytes:
                    self._counters["flows_over_bound"] += 1
                    return
                if os.write(fd, data) < len(data):
                    os.ftruncate(fd, size)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            finally:
                os.close(fd)
        except OSError as error:
            self._failed(error)
            return
        self._total += len(data)
        self._counters["flows_written"] += 1
        self.trouble = None

    def _failed(self, error: OSError) -> None:
        self._counters["write_failures"] += 1
        self.trouble = f"evidence {self._folder}: {error.strerror or error}"

    def _files(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.suffix == SUFFIX]
