"""The closing line of the summary: what was read, how fast, and how much of it was lost. Pure; draws nothing."""

from __future__ import annotations

from dataclasses import dataclass

from exporters.forms.amounts import counted, size

#: What the summary says where there is neither a finding nor anything weaker.
NO_MINING = "No mining found."


@dataclass(frozen=True)
class Run:
    """The figures of the closing line."""

    engine: str
    workers: int
    sources: int
    packets: int
    bytes: int
    flows: int
    seconds: float
    capture_loss: float
    interrupted: bool = False
    noun: str = "file"  # what a source is


def closing_text(run: Run) -> str:
    """The line."""
    rate = run.packets / run.seconds / 1e6 if run.seconds else 0.0
    parts = (
        counted(run.packets, "packet"),
        size(run.bytes),
        counted(run.flows, "flow"),
        counted(run.sources, run.noun),
        f"{run.seconds:.2f} s ({rate:.3g} Mpps)",
        f"{run.engine} engine" + (f", {run.workers} workers" if run.workers > 1 else ""),
        f"capture loss {run.capture_loss:.2%}",
        *(("interrupted: not everything was read",) if run.interrupted else ()),
    )
    return " · ".join(parts)
