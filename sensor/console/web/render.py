"""A page as HTML: the templates of the console and those of documents, every text escaped, no script, no
style inside."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader

from exporters.forms.documents import page as documents
from exporters.forms.documents.labels import N_
from exporters.forms.documents.translations import HTML_LANGUAGES, Translate
from exporters.forms.report.page import own_style as report_style
from sensor.console.blocks import ConsolePage
from sensor.console.desk import Visit
from sensor.console.language import SHOWN_LANGUAGES, console_translator
from sensor.console.web.rules import RULES
from sensor.model.version import VERSION

#: The navigation, in its order: route, path, title.
NAVIGATION = (
    ("overview", "/overview", N_("Overview")),
    ("search", "/search", N_("Search")),
    ("enterprises", "/enterprises", N_("Organisations")),
    ("sites", "/sites", N_("Sites")),
    ("addresses", "/addresses", N_("Addresses")),
    ("findings", "/findings", N_("Findings")),
    ("cases", "/cases", N_("Cases")),
    ("bulletins", "/bulletins", N_("Bulletins")),
    ("pools", "/pools", N_("Pools")),
    ("shared", "/shared", N_("Shared")),
    ("nodes", "/nodes", N_("Nodes")),
    ("sensors", "/sensors", N_("Sensors")),
    ("people", "/people", N_("People")),
    ("audit", "/audit", N_("Audit")),
)
#: Pages that are there only where people sign in.
SIGNED_IN_ONLY = frozenset({"bulletins", "people", "audit"})
#: What each language calls itself.
LANGUAGE_NAMES = {"zh": "中文", "en": "English"}
ROLE_NAMES = {
    "reader": N_("reader"),
    "officer": N_("officer"),
    "lead": N_("lead"),
    "auditor": N_("auditor"),
    "admin": N_("administrator"),
}
STATUS_TITLES = {
    400: N_("This cannot be asked"),
    401: N_("Sign in first"),
    403: N_("Not for your role"),
    404: N_("Not found"),
    405: N_("This cannot be done here"),
    409: N_("The case was changed meanwhile"),
    503: N_("The ledger cannot be read just now"),
}
OTHER_STATUS = N_("Something went wrong")


@dataclass(frozen=True)
class NavigationEntry:
    """A link of the navigation."""

    href: str
    title: str
    current: bool


@cache
def environment() -> Environment:
    """The templates with what they may call."""
    templates = documents.environment().overlay(
        loader=ChoiceLoader([PackageLoader("sensor.console"), PackageLoader("exporters.forms.documents")])
    )
    templates.autoescape = True
    return templates


@cache
def style_sheet() -> str:
    """All of the style: that of documents, of the report's page, and the console's own."""
    own = environment().get_template("console.css").render()
    return f"{documents.style()}\n{report_style()}\n{own}"


@cache
def style_path() -> str:
    """Its path, which changes with it."""
    return f"/style-{hashlib.sha256(style_sheet().encode()).hexdigest()[:16]}.css"


def html(visit: Visit, page: ConsolePage) -> str:
    """A page in its frame."""
    _ = visit._
    navigation = [
        NavigationEntry(visit.href(path), _(title), route == page.key)
        for route, path, title in NAVIGATION
        if RULES[route].admits(visit.viewer) and (visit.token is not None or route not in SIGNED_IN_ONLY)
    ]
    languages = [
        (language, HTML_LANGUAGES[language], LANGUAGE_NAMES[language], _language_href(visit, language))
        for language in SHOWN_LANGUAGES
    ]
    return (
        environment()
        .get_template("console.html")
        .render(
            page=page,
            lang=HTML_LANGUAGES[visit.language],
            _=_,
            style_path=style_path(),
            navigation=navigation,
            languages=languages,
            current_language=visit.language,
            who=visit.viewer.login,
            token=visit.token,
            role=_(ROLE_NAMES[visit.viewer.role]),
            divisions=scope_text(visit),
            banner=_(visit.desk.banner) if visit.desk.banner else None,
            version=VERSION,
            zone=visit.desk.zone.key,
        )
    )


def error_html(status: int, sentence: str, language: str, *, banner: str | None, way_back: str | None) -> str:
    """The page of an error, which knows nobody."""
    _ = console_translator(language)
    return (
        environment()
        .get_template("error.html")
        .render(
            title=_(STATUS_TITLES.get(status, OTHER_STATUS)),
            status=status,
            sentence=sentence,
            lang=HTML_LANGUAGES[language],
            _=_,
            style_path=style_path(),
            banner=_(banner) if banner else None,
            way_back=way_back,
        )
    )


def _language_href(visit: Visit, language: str) -> str:
    return visit.here(lang=None if language == visit.viewer.language else language)


def scope_text(visit: Visit) -> str:
    """The divisions that were granted, by name."""
    viewer, _ = visit.viewer, visit._
    if not viewer.sees_data:
        return _("no division: your role sees no case and no finding")
    if viewer.divisions == "all":
        return _("all divisions")
    names = [visit.owners.name(code) or code for code in sorted(viewer.divisions)]
    return ", ".join(names) or _("no division")


def translated(sentence: str, figures: dict[str, str], translate: Translate) -> str:
    """A sentence of a refusal with its figures."""
    return translate(sentence).format(**figures)
