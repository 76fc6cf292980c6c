"""`minewatch ledger shared`: which payee, pool, name of a rig or enterprise several sensors, addresses or sites have in
common."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exporters.forms.amounts import digits_of, quantity, rate_unit
from exporters.forms.documents.labels import GRADES
from exporters.forms.documents.languages import Language
from exporters.forms.documents.sheets import guarded
from sensor.answers.shared_object import shared_object
from sensor.answers.values import instant, rounded
from sensor.cli.case_filter import division_codes
from sensor.cli.json_text import print_json
from sensor.cli.language import command_language
from sensor.cli.ledger_text import page_text, print_table, safe
from sensor.cli.list_period import seen_between
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.lists.desk import DeskReader
from sensor.ledger.read.lists.shared import CHOSEN_BY_SENDER, AskedShared, ListedShared
from sensor.model.evidence import Grade
from sensor.model.exit_codes import OK
from sensor.model.scope import EVERYWHERE, Scope, stem_of
from sensor.model.text import N_
from sensor.model.time import minute_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger

#: What joins nothing unless `--uncounted` is given; and names, unless `--usual-names` is.
UNCOUNTED = (
    N_("attempts, observers and probes"),
    N_("donations of programs"),
    N_("suppressed findings and false alarms"),
    N_("findings too weak for figures"),
)
USUAL_NAMES = N_("names that everybody has, such as x, worker1 or default")
HINT = N_("Whoever sends such a name has chosen it: that it is shared is a hint, and proves nothing.")
COLUMNS = (
    *("by", "name", "enterprise_name", "is_hint", "sensors", "addresses", "sites", "enterprises"),
    *("addresses_of_nobody", "findings", "grade", "least_grade", "first_seen", "last_seen"),
    *("algorithm", "work_unit", "hashrate_low", "hashrate_best", "hashrate_high", "findings_without_rate"),
)


def show(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Print a page of what is shared. Raises ValueError for what cannot be asked."""
    asked = _asked(options, settings)
    reader = DeskReader(ledger.engine, EVERYWHERE)
    shown = reader.shared(asked, ListCut(None, options.limit), options.offset)
    total = reader.count_shared(asked)
    left_out = _left_out(asked)
    if options.json or options.format == "json":
        head = {"by": asked.by, "total": total, "offset": options.offset, "limit": options.limit}
        print_json({**head, "left_out": left_out, "shared": [shared_object(row) for row in shown]})
    elif options.format == "csv":
        _write_csv(shown)
    else:
        language = command_language(options, settings.output.language)
        _print(shown, settings, language)
        form = N_("{count} name is shared") if total == 1 else N_("{count} names are shared")
        whole = language.translate(form).format(count=f"{total:,}")
        print(page_text(whole, total, options.offset, len(shown), language))
        if asked.by in CHOSEN_BY_SENDER and shown:
            print(language.translate(HINT))
        if left_out:
            listed = "; ".join(language.translate(what) for what in left_out)
            print(language.translate(N_("left out: {what}")).format(what=listed))
    return OK


def _asked(options: argparse.Namespace, settings: Configuration) -> AskedShared:
    """What the options ask for. Raises ValueError, and CommandError for an unreadable table."""
    from_ns, to_ns = seen_between(options, settings.ledger.zone)
    codes = () if options.division is None else division_codes(options.division, settings)
    division = Scope(tuple(stem_of(code) for code in codes)) if codes else None
    return AskedShared(
        by=options.by,
        name=options.name,
        sensors=options.sensors,
        addresses=options.addresses,
        sites=options.sites,
        grade=next((grade for grade in Grade if grade.label == options.grade), None),
        division=division,
        from_ns=from_ns,
        to_ns=to_ns,
        usual_names=options.usual_names,
        uncounted=options.uncounted,
    )


def _left_out(asked: AskedShared) -> list[str]:
    """What joins nothing as it was asked."""
    names = asked.by in CHOSEN_BY_SENDER and not asked.usual_names
    uncounted: tuple[str, ...] = () if asked.uncounted else UNCOUNTED
    if asked.by == "enterprise":  # whose program donates is mining
        uncounted = tuple(what for what in uncounted if what != UNCOUNTED[1])
    return [*uncounted, *([USUAL_NAMES] if names else [])]


def _print(shown: Sequence[ListedShared], settings: Configuration, language: Language) -> None:
    _, zone = language.translate, settings.ledger.zone
    rows = [
        (
            safe(name_text(found)),
            _count(found.sensors, language),
            f"{found.seen.addresses:,}",
            _count(found.seen.sites, language),
            _count(found.enterprises, language),
            _(GRADES[found.seen.grade.label][0]),
            minute_text(found.seen.first_ns, zone),
            minute_text(found.seen.last_ns, zone),
            rates_text(found, language),
        )
        for found in shown
    ]
    if rows:
        titles = (_("name"), _("sensors"), _("addresses"), _("sites"), _("holders"))
        print_table([(*titles, _("evidence"), _("since"), _("last seen"), _("hashrate while mining")), *rows])


def name_text(found: ListedShared) -> str:
    """The name, of an enterprise that which people call it."""
    return found.name if found.enterprise is None else found.enterprise.name


def rates_text(found: ListedShared, language: Language) -> str:
    """The hashrates by algorithm, with their bounds."""
    _ = language.translate
    if found.rates is None:
        return _("too many findings to add up")
    texts = []
    for rate in found.rates:
        name, its = safe(rate.algorithm or _("algorithm not known")), rate.hashrate_hps
        if its is None:
            texts.append(f"{name} {_('unknown')}")
            continue
        count, unit = digits_of(its.low, its.best, its.high), rate_unit(rate.work_unit)
        low, best, high = (quantity(amount, unit, count) for amount in (its.low, its.best, its.high))
        form = N_("at least {best} ({low} to {high})") if rate.unrated else N_("{best} ({low} to {high})")
        texts.append(f"{name} {_(form).format(best=best, low=low, high=high)}")
    return "; ".join(texts) or _("unknown")


def _count(count: int, language: Language) -> str:
    return f"{count:,}" if count else language.translate(N_("unknown"))


def _write_csv(shown: Sequence[ListedShared]) -> None:
    """A row for each name and algorithm, with a byte order mark; what is not known is empty."""
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    sys.stdout.write("\ufeff")
    writer.writerow(COLUMNS)
    for found in shown:
        for rate in found.rates or (None,):
            its = None if rate is None else rate.hashrate_hps
            row = (
                found.by,
                found.name,
                None if found.enterprise is None else found.enterprise.name,
                int(found.by in CHOSEN_BY_SENDER),
                found.sensors or None,
                found.seen.addresses,
                found.seen.sites or None,
                found.enterprises or None,
                found.unnamed,
                found.findings,
                found.seen.grade.label,
                found.least_grade.label,
                instant(found.seen.first_ns),
                instant(found.seen.last_ns),
                *((None,) * 2 if rate is None else (rate.algorithm, rate.work_unit)),
                *((None,) * 3 if its is None else map(rounded, (its.low, its.best, its.high))),
                None if rate is None else rate.unrated,
            )
            writer.writerow([guarded(cell) for cell in row])
