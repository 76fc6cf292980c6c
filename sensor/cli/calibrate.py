"""`minewatch calibrate`: how small the chances of an operator's own encrypted sessions are, by kind of evidence.

Where p-values are uniform, a threshold of 1 in 10,000 accuses 1 in 10,000. Whether they are, only the link itself can
say: by captures of it, or by the sensor that listens to it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table

from sensor.behaviour.calibration import CHANCE_KINDS, ENOUGH, LEVELS, Calibration, ChanceCounts, rate_bound
from sensor.cli.frame import (
    CommandError,
    exit_on,
    flag_overrides,
    load_configuration,
    load_engine,
    load_signatures,
    os_reason,
    say,
    show_configuration,
)
from sensor.cli.json_text import print_json
from sensor.cli.status import ask_all
from sensor.cli.streams import private
from sensor.daemon.behaviour import behaviour_rules
from sensor.intake.block_times import BlockFileError
from sensor.intake.sources import expand
from sensor.line.judged_session import JudgedSession
from sensor.line.replay import Batches, ReplayResult
from sensor.line.sealed_flows import SealedFlows
from sensor.line.sealed_hints import session_record
from sensor.model.encrypted import ENCRYPTED_EVENTS
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration

#: Encrypted sessions that are followed in captures where the configuration follows none.
THIN_FLOWS = 65_536
NAMES = {"grammar": "lengths (grammar)", "beat": "block beat, by flow and coin", "synchrony": "synchrony"}


def run(options: argparse.Namespace) -> int:
    """Calibrate on captures, or ask the running sensors. Raises CommandError for what cannot be read."""
    blocks = [f"behaviour.blocks.{_coin(text)}={text.partition('=')[2]}" for text in options.blocks]
    settings = load_configuration(options, [*flag_overrides(options, "engine"), *blocks])
    if options.dump_config:
        return show_configuration(settings)
    problems: list[str] = []
    if not options.paths:
        if options.sessions or options.blocks:
            raise CommandError(USAGE, "calibrate: --sessions and --blocks need captures")
        calibration = _running(options)
    else:
        with _sessions_file(options.sessions) as file:
            calibration, problems = _captured(options, settings, file)
    if options.json:
        print_json(_as_json(calibration))
    else:
        _show(calibration)
    for problem in problems:
        say(problem)
    return RUN_ERROR if problems else OK


def _coin(text: str) -> str:
    coin, equals, path = text.partition("=")
    if not equals or not coin or not path:
        raise CommandError(USAGE, f"calibrate: --blocks {text}: must be COIN=FILE")
    return coin


def _captured(
    options: argparse.Namespace, settings: Configuration, file: TextIO | None
) -> tuple[Calibration, list[str]]:
    """Read the captures; what could not be read of them, in sentences."""
    with exit_on(BlockFileError, code=CONFIG):
        rules = behaviour_rules(settings.behaviour)
    signatures = load_signatures(settings.signatures.files)
    sources, problems = expand(options.paths)
    engine = load_engine(settings.engine)
    limits = {"workers": settings.workers, **settings.limits.model_dump()}
    limits["thin_flows"] = limits["thin_flows"] or THIN_FLOWS
    outcome = ReplayResult(problems=problems)
    flows = SealedFlows(signatures, rules)
    newest: dict[int, str] = {}
    core = engine.core_of(signatures, limits)
    for events in Batches(core, engine, sources, outcome):
        for event in events:
            if isinstance(event, ENCRYPTED_EVENTS):
                flows.take(event)
        _keep(newest, flows.judged(), file)
    _keep(newest, flows.finish(), file)
    core.close()
    if file is not None:
        file.writelines(newest.values())
    return flows.calibration, [str(problem) for problem in outcome.problems]


def _keep(newest: dict[int, str], judged: Iterator[JudgedSession], file: TextIO | None) -> None:
    """Write sessions as they end; of those that go on the line of the newest look is kept."""
    for each in judged:
        if file is None:
            continue
        line = json.dumps(session_record(each), ensure_ascii=True) + "\n"
        if each.ended:
            newest.pop(each.opened.flow, None)
            file.write(line)
        else:
            newest[each.opened.flow] = line


@contextmanager
def _sessions_file(path: str | None) -> Iterator[TextIO | None]:
    """The file of sessions, if one is asked for. Raises CommandError."""
    if path is None:
        yield None
        return
    try:
        with open(path, "w", encoding="ascii", opener=private) as file:
            yield file
    except OSError as error:
        raise CommandError(RUN_ERROR, f"{path}: cannot be written: {os_reason(error)}") from None


def _running(options: argparse.Namespace) -> Calibration:
    """What the sensors of this host have counted, together. Raises CommandError where none follows sessions."""
    calibration = Calibration()
    for status in ask_all(options):
        calibration.join(status.get("line", {}))
    if not any(counts.tested for counts in calibration.kinds.values()):
        raise CommandError(
            RUN_ERROR,
            "calibrate: the running sensors have looked at no encrypted session that has ended; name captures, or wait",
        )
    return calibration


def _show(calibration: Calibration) -> None:
    table = Table("Evidence", "Tested", *(f"p ≤ {level:g}" for level in LEVELS), "Uniform", box=None, pad_edge=False)
    for kind in CHANCE_KINDS:
        counts = calibration.kinds[kind]
        table.add_row(NAMES[kind], f"{counts.tested:,}", *_cells(counts), _verdict(counts))
    console = Console(soft_wrap=True)
    console.print(table)
    console.print("In brackets what chance alone gives. Sessions that mine lie below, too: look at those first.")
    tested, low = calibration.kinds["grammar"].tested, calibration.kinds["grammar"].at_most[-1]
    bound = rate_bound(low, tested)
    if bound is not None:
        console.print(
            f"Of {tested:,} sessions {low:,} lie at or below {LEVELS[-1]:g} by their lengths: with 95 % at most "
            f"{min(1e4, bound * 1e4):,.3g} of 10,000 do. To show less than 1 takes {ENOUGH:,} sessions."
        )


def _cells(counts: ChanceCounts) -> Sequence[str]:
    if not counts.tested:
        return ["not tested"] * len(LEVELS)
    rows = zip(LEVELS, counts.at_most, strict=True)
    return [f"{number:,} ({counts.tested * level:.3g})" for level, number in rows]


def _verdict(counts: ChanceCounts) -> str:
    if not counts.tested:
        return "not known"
    return "not above chance" if counts.is_uniform else "no: more small ones than chance gives"


def _as_json(calibration: Calibration) -> Mapping[str, object]:
    kinds: dict[str, object] = {}
    for kind in CHANCE_KINDS:
        counts = calibration.kinds[kind]
        levels = [
            {"level": level, "count": number, "excess_standard_errors": counts.excess(place)}
            for place, (level, number) in enumerate(zip(LEVELS, counts.at_most, strict=True))
        ]
        uniform = counts.is_uniform if counts.tested else None
        kinds[kind] = {"tested": counts.tested, "levels": levels, "not_above_chance": uniform}
    return {"calibration": kinds}
