"""Regions by the codes of administrative divisions: which lines of a summary lie in one. Pure."""

from __future__ import annotations

from sensor.model.summary import Line, Summary

#: A division's code, the codes of several that are taken together, or everywhere.
Region = str | tuple[str, ...] | None


def lines_in(summary: Summary, region: Region) -> list[Line]:
    """The lines whose site lies in a region; without a region all."""
    return [line for line in summary.lines if line_in(summary, line, region)]


def line_in(summary: Summary, line: Line, region: Region) -> bool:
    """Whether the site of a line lies in a region."""
    site = summary.about(line)
    return inside(site.site.division if site and site.site else None, region)


def inside(code: str | None, region: Region) -> bool:
    """Whether a division lies in a region, both by code: 320500 is in 320000. Everything lies in no region."""
    if region is None:
        return True
    codes = (region,) if isinstance(region, str) else region
    return code is not None and any(code.startswith(_stem(each)) for each in codes)


def city_code(code: str | None) -> str | None:
    """The division at the level of cities (320505 is in 320500)."""
    return code[:4] + "00" if code and len(code) == 6 else None


def _stem(region: str) -> str:
    """The digits that every code in a region begins with."""
    text = region.ljust(6, "0")
    return text[:2] if text.endswith("0000") else text[:4] if text.endswith("00") else text
