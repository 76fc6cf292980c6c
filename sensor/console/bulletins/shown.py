"""The pages of bulletins: one's own, the form that begins one, and one with how far it is. They show no finding."""

from __future__ import annotations

from collections.abc import Mapping

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Column, DocumentTable
from exporters.forms.fitting import visible
from sensor.console.address_bar import Parameter, chosen_from
from sensor.console.blocks import (
    ChangeForm,
    ConsoleBlock,
    ConsolePage,
    Fact,
    Facts,
    FormField,
    Listing,
    PagePart,
    Sayings,
)
from sensor.console.bulletins.making import BulletinOrder
from sensor.console.bulletins.press import BulletinState, OrderedBulletin
from sensor.console.desk import Visit
from sensor.console.web.render import LANGUAGE_NAMES, scope_text

BULLETINS = "/bulletins"
#: Of the page of one that is being made: it asks again by itself, for who wants that.
AGAIN = Parameter("again", parse=chosen_from((("yes", ""),)), kind="hidden")
#: Seconds after which the page of one that is being made is asked for again.
REFRESH_S = 3
#: Bytes of a kB, in which sizes are shown.
KB = 1_000
STATES: dict[BulletinState, str] = {
    "waiting": N_("waiting"),
    "making": N_("being made"),
    "done": N_("done"),
    "failed": N_("not made"),
}
FORM_NAMES = {"html": "HTML", "csv": "CSV", "xlsx": "XLSX", "json": "JSON"}


def bulletins_page(
    visit: Visit, found: list[OrderedBulletin], given: Mapping[str, str] | None = None, refused: str = ""
) -> ConsolePage:
    """All of a viewer's, and the form: as it was sent where it was refused."""
    _ = visit._
    columns = (
        Column("period", _("Period")),
        Column("language", _("Language")),
        Column("asked", _("Asked for"), "moment"),
        Column("state", _("State")),
    )
    rows = tuple(
        (
            each.order.period.name,
            LANGUAGE_NAMES[each.order.language],
            visit.cells.moment(each.asked_ns),
            _(STATES[each.progress.state]),
        )
        for each in found
    )
    table = DocumentTable("bulletins", "", columns, rows, _("You have had no bulletin made since the console started."))
    listing = Listing(table, tuple({"period": visit.href(f"{BULLETINS}/{each.key}")} for each in found))
    note = _("They stay for an hour at most, and only as long as the console runs. Nobody else can open them.")
    parts = (
        PagePart("list", _("Your bulletins"), (Sayings("", (note,)), listing)),
        PagePart("start", "", (_form(visit, given or {}, refused),)),
    )
    return ConsolePage("bulletins", _("Bulletins"), parts=parts)


def _form(visit: Visit, given: Mapping[str, str], refused: str) -> ChangeForm:
    _ = visit._
    languages = tuple(LANGUAGE_NAMES.items())
    language = given.get("language") or visit.language
    fields = (
        FormField("week", _("Week"), value=visible(given.get("week", "")), hint="2026-W10", most=10),
        FormField("from", _("or days from"), "date", visible(given.get("from", ""))),
        FormField("to", _("to"), "date", visible(given.get("to", ""))),
        FormField("language", _("Language"), "choice", language, languages),
    )
    note = _("Without week and days it is of the last week that is over. It is of your divisions, and names no person.")
    title, button, token = _("A new bulletin"), _("Make it"), visit.token or ""
    action = visit.href(BULLETINS)
    return ChangeForm("bulletin", title, action, button, token, fields, note=note, refused=refused)


def bulletin_page(visit: Visit, its: OrderedBulletin) -> ConsolePage:
    """How far one is; then its files."""
    _, order, progress = visit._, its.order, its.progress
    facts = (
        Fact(_("Period"), _("{first} to {last}").format(first=order.period.first, last=order.period.last)),
        Fact(_("Divisions"), scope_text(visit)),
        Fact(_("Language"), LANGUAGE_NAMES[order.language]),
        Fact(_("State"), _(STATES[progress.state])),
    )
    blocks: list[ConsoleBlock] = [Facts("", facts)]
    under_way = progress.state in ("waiting", "making")
    if under_way:
        count = _("{done} of {steps} steps are done.").format(done=progress.steps_done, steps=progress.steps or "?")
        blocks.append(Sayings("", (count,)))
        blocks.append(Facts("", (_asking_fact(visit),)))
    if progress.sentence:
        blocks.append(Sayings("", (_(progress.sentence),)))
    parts = [PagePart("state", "", tuple(blocks))]
    if progress.state == "done":
        links = tuple(_file_fact(visit, its, form, content) for form, content in its.files.items())
        parts.append(PagePart("files", _("Files"), (Facts("", links),)))
    back = Facts("", (Fact(_("Bulletins"), _("all of yours"), visit.href(BULLETINS)),))
    parts.append(PagePart("back", "", (back,)))
    title = _("Bulletin {period}").format(period=order.period.name)
    asks_again = under_way and visit.asked.get(AGAIN) is not None
    return ConsolePage("bulletins", title, parts=tuple(parts), refresh_s=REFRESH_S if asks_again else 0)


def _asking_fact(visit: Visit) -> Fact:
    """Whether the page asks again by itself, and the way to the other: a page that moves without being told to is in
    the way of who reads slowly (WCAG 2.2, success criterion 2.2.2)."""
    _ = visit._
    if visit.asked.get(AGAIN) is None:
        return Fact(_("This page stands still"), _("let it ask again by itself"), visit.here(again="yes"))
    return Fact(_("This page asks again by itself every few seconds"), _("let it stand still"), visit.here(again=None))


def _file_fact(visit: Visit, its: OrderedBulletin, form: str, content: bytes) -> Fact:
    text = f"{file_name(its.order, form)} ({max(1, round(len(content) / KB)):,} kB)"
    return Fact(FORM_NAMES[form], text, visit.href(f"{BULLETINS}/{its.key}/{form}"))


def file_name(order: BulletinOrder, form: str) -> str:
    """The name under which a file is saved: that of the command line."""
    return f"{order.name}.{form}"
