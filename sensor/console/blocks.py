"""What a page is made of, beside the blocks of documents: lists with links, forms of filters, facts, a history.

Each has a `block_type`, the name of its template. Plain data; texts in it may be anybody's and are escaped there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from exporters.forms.documents.model import Block, Cell, DocumentTable


@dataclass(frozen=True)
class ListedRow:
    """A row: its cells in the order of the columns, and where some of them lead, by their columns' keys."""

    cells: tuple[Cell, ...]
    links: dict[str, str] = field(default_factory=dict)
    steps: str = ""  # of its history, where it has one


@dataclass(frozen=True)
class ColumnLink:
    """A column that a list can have: a link that adds it, or takes it away."""

    title: str
    shown: bool
    href: str | None  # None: the last one stays


@dataclass(frozen=True)
class Listing:
    """A page of a list. `table` has what is shown, to the last cell; an export has the same of all pages."""

    block_type: ClassVar[str] = "listing"
    table: DocumentTable
    links: tuple[dict[str, str], ...]
    first_href: str | None = None  # where the list begins, if this is not there
    next_href: str | None = None
    exports: tuple[tuple[str, str], ...] = ()  # name and address
    identities: tuple[str, ...] = ()  # of its rows, as the ledger knows them
    steps: tuple[str, ...] = ()  # of its rows: how long the history was, where there is one
    choices: tuple[tuple[str, str], ...] = ()  # of its rows, for the form below: name of the box and its value
    columns: tuple[ColumnLink, ...] = ()
    all_columns_href: str | None = None  # with all of them, where some are left out


@dataclass(frozen=True)
class FilterField:
    """One field of a form."""

    name: str
    title: str
    kind: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class Filters:
    """The form above a list."""

    block_type: ClassVar[str] = "filters"
    action: str
    fields: tuple[FilterField, ...]
    hidden: tuple[tuple[str, str], ...] = ()
    plain_href: str | None = None  # without any filter, if there is one
    open: bool = False
    search: bool = False  # one large box


@dataclass(frozen=True)
class Fact:
    """A name and what stands beside it."""

    name: str
    text: str
    href: str | None = None
    code: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known of one thing."""

    block_type: ClassVar[str] = "known"
    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Sayings:
    """Sentences with a heading; `foreign` ones are the sensor's own, as items."""

    block_type: ClassVar[str] = "sayings"
    title: str
    sentences: tuple[str, ...]
    foreign: bool = False


@dataclass(frozen=True)
class DoneNote:
    """What was just done."""

    block_type: ClassVar[str] = "done"
    sentence: str


@dataclass(frozen=True)
class Drawing:
    """A drawing of ours with its heading and the texts at its ends."""

    block_type: ClassVar[str] = "drawing"
    title: str
    drawing: Markup
    left: str = ""
    right: str = ""
    legend: str = ""


@dataclass(frozen=True)
class DivisionMap:
    """A map with its legend: swatches and what each is, and the number under which the map was approved."""

    block_type: ClassVar[str] = "map"
    title: str
    drawing: Markup
    legend: tuple[tuple[Markup, str], ...]


@dataclass(frozen=True)
class SaidMessage:
    """A piece of evidence: one message of the dialogue."""

    time: str
    by: str
    by_text: str
    grade: str
    offset: str
    text: str
    remark: str


@dataclass(frozen=True)
class Dialogue:
    """Messages in their order."""

    block_type: ClassVar[str] = "dialogue"
    title: str
    messages: tuple[SaidMessage, ...]


@dataclass(frozen=True)
class HistoryStep:
    """One change of a case."""

    time: str
    state: str
    state_key: str
    who: str
    why: str
    did: str = ""  # what it wrote beside its sentence


@dataclass(frozen=True)
class CaseHistory:
    """What became of a case."""

    block_type: ClassVar[str] = "history"
    title: str
    steps: tuple[HistoryStep, ...]


@dataclass(frozen=True)
class FormField:
    """One field of a form that changes something: text, number, date, long text, password, choice, checks, file."""

    name: str
    title: str
    kind: str = "text"
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    autocomplete: str = "off"
    required: bool = False
    most: int = 1_024  # characters


@dataclass(frozen=True)
class ChangeForm:
    """A form that changes something, with the token of its session."""

    block_type: ClassVar[str] = "form"
    key: str
    title: str
    action: str
    button: str
    token: str
    fields: tuple[FormField, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    note: str = ""
    folded: bool = False  # shown when asked to
    refused: str = ""  # why it was not done
    kind: str = ""  # "file": with a file in it


ConsoleBlock = (
    Block | Listing | Filters | Facts | Sayings | DoneNote | Drawing | DivisionMap | Dialogue | CaseHistory | ChangeForm
)


@dataclass(frozen=True)
class PagePart:
    """Blocks under one heading."""

    key: str
    title: str
    blocks: tuple[ConsoleBlock, ...]
    introduction: str = ""


@dataclass(frozen=True)
class ConsolePage:
    """All of a page but its frame."""

    key: str  # of its place in the navigation
    title: str
    subtitle: str = ""
    badge: tuple[str, str] | None = None  # class of the style, and text
    opening: tuple[ConsoleBlock, ...] = ()
    parts: tuple[PagePart, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()
    listing: Listing | None = None  # what an export is of
    refresh_s: int = 0  # seconds after which a browser asks for it again; 0: it does not


@dataclass(frozen=True)
class DownloadFile:
    """A file instead of a page."""

    name: str
    content_type: str
    data: bytes
    identities: tuple[str, ...] = ()  # of its rows, as the ledger knows them
