"""`minewatch signatures learn CAPTURE [FLOW]`: a signature drafted from a conversation that none describes, or the
flows from which one could be.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.cli.frame import CommandError, load_engine, load_signatures, os_reason, say
from sensor.cli.streams import private
from sensor.intake.sources import expand
from sensor.line.draft.document import DraftError, draft
from sensor.line.draft.transcript import Transcript, Transcripts
from sensor.line.replay import Batches, ReplayResult
from sensor.model.exit_codes import OK, RUN_ERROR, USAGE

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.signatures import SignatureSet


def learn(options: argparse.Namespace, settings: Configuration) -> int:
    """Write a draft, or list the flows. Raises CommandError for what cannot be read, found or drafted."""
    if options.json:
        raise CommandError(USAGE, "signatures learn: has no --json; a draft is a signature, in YAML")
    if not 1 <= len(options.files) <= 2:
        raise CommandError(USAGE, "signatures learn: name one capture and, for a draft, one flow in it")
    capture, *flow = options.files
    if not flow and options.output is not None:
        raise CommandError(USAGE, "signatures learn: -o writes the draft of a flow, and no flow is named")
    if options.output is not None and Path(options.output).exists():
        raise CommandError(RUN_ERROR, f"{options.output}: is there already, and is not overwritten")
    signatures = load_signatures(settings.signatures.files)
    found, problems = _read(capture, signatures, settings)
    if not found:
        nothing = f"{capture}: holds no conversation in JSON lines of which both sides were seen"
        raise CommandError(RUN_ERROR, *(problems or [nothing]))
    for problem in problems:
        say(problem)
    if not flow:
        for transcript in found:
            print(transcript)
        return RUN_ERROR if problems else OK
    chosen = next((transcript for transcript in found if transcript.is_called(flow[0])), None)
    if chosen is None:
        hint = f"`minewatch signatures learn {capture}` lists those that could be drafted from"
        raise CommandError(USAGE, f"{capture}: holds no conversation in JSON lines called {flow[0]}; {hint}")
    try:
        text = draft(chosen, signatures)
    except DraftError as error:
        raise CommandError(RUN_ERROR, f"{chosen.flow}: nothing can be drafted: {error}") from None
    _write(text, options.output)
    return RUN_ERROR if problems else OK


def _read(capture: str, signatures: SignatureSet, settings: Configuration) -> tuple[Sequence[Transcript], list[str]]:
    """The conversations of a capture, and what could not be read of it, in sentences."""
    sources, problems = expand([capture])
    engine = load_engine(settings.engine)
    outcome = ReplayResult(problems=problems)
    transcripts = Transcripts()
    limits = {"workers": 1, **settings.limits.model_dump()}
    core = engine.core_of(signatures, limits)
    for events in Batches(core, engine, sources, outcome):
        transcripts.step(events)
    core.close()
    return transcripts.finish(), [str(problem) for problem in outcome.problems]


def _write(text: str, output: str | None) -> None:
    if output is None:
        print(text, end="")
        return
    try:
        with open(output, "x", encoding="utf-8", opener=private) as file:
            file.write(text)
    except OSError as error:
        raise CommandError(RUN_ERROR, f"{output}: cannot be written: {os_reason(error)}") from None
