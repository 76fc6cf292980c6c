"""In which language a command speaks to the desk: what `--language` says, else `output.language`, else the locale."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from exporters.forms.documents.languages import Language

LanguageName = Literal["zh", "en"]
NAMES: tuple[LanguageName, ...] = ("zh", "en")
#: What says the locale of messages, the strongest first (POSIX, "Internationalization Variables").
LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def chosen_language(options: argparse.Namespace, configured: str) -> LanguageName:
    """The name of the language; `configured` is `output.language`."""
    # Callers of commands may not know every option.
    asked = getattr(options, "language", None) or configured
    return next((name for name in NAMES if name == asked), None) or locale_language(os.environ)


def locale_language(environment: Mapping[str, str]) -> LanguageName:
    """The language of the locale: Chinese or, whatever else it says, English."""
    locale = next((environment[name] for name in LOCALE_VARIABLES if environment.get(name)), "")
    return "zh" if locale.lower().partition("_")[0].partition("-")[0].partition(".")[0] == "zh" else "en"


def command_language(options: argparse.Namespace, configured: str) -> Language:
    """The language with all that commands say."""
    from exporters.forms.documents.languages import REPORT, language_of

    return language_of(chosen_language(options, configured), REPORT, "sensor", "sensor.cli")
