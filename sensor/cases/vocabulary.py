"""The fixed words of conclusions and measures, in Chinese and English: those of the sources' reports (desk's facts:
1283号, notices of provinces, published raids). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from sensor.cases.states import CaseError
from sensor.model.casework import MEASURES, Conclusion, MachineKind, Measure

CONCLUSION_NAMES: dict[Conclusion, tuple[str, str]] = {
    "mine": ("集中式矿场", "industrial mine"),
    "state-unit": ("国有单位机房", "machine room of a state unit"),
    "household": ("个人家庭", "person at home"),
    "internet-cafe": ("网吧", "internet cafe"),
    "intruded": ("主机被入侵", "intruded host"),
    "hosted": ("托管客户", "customer of a data centre"),
    "not-found": ("未找到使用人", "holder not found"),
    "not-mining": ("非挖矿", "not mining"),
    "other": ("其他", "something else"),
}
MEASURE_NAMES: dict[Measure, tuple[str, str]] = {
    "confiscated": ("扣留或没收设备", "machines held or confiscated"),
    "power-cut": ("查封断电", "sealed and power cut"),
    "network-cut": ("断网", "network cut"),
    "account-closed": ("销户", "account closed"),
    "promise": ("书面承诺", "written promise"),
    "warning": ("约谈警示", "warning talk"),
    "discipline": ("纪律处分", "discipline"),
    "transferred": ("移送", "transferred to another authority"),
    "cleaned": ("清除恶意程序", "intruder's program removed"),
    "none": ("未采取措施", "no measure"),
}
MACHINE_NAMES: dict[MachineKind, tuple[str, str]] = {
    "asic": ("专用矿机", "ASICs"),
    "gpu": ("显卡机", "machines with graphics cards"),
    "cpu": ("普通计算机", "ordinary computers"),
    "other": ("其他设备", "other machines"),
}
UNKNOWN_CONCLUSION = "{text} is no conclusion; there are {choices}"
UNKNOWN_MEASURE = "{text} is no measure; there are {choices}"
NONE_ALONE = "no measure was taken, or there was one: both cannot be"
Chosen = TypeVar("Chosen", bound=str)


def parse_conclusion(text: str) -> Conclusion:
    """A conclusion by its key, or its name in either language. Raises CaseError."""
    return _parsed(text, CONCLUSION_NAMES, UNKNOWN_CONCLUSION)


def parse_measures(texts: Iterable[str]) -> tuple[Measure, ...]:
    """Measures by their keys or names, each once, in the order of the list. Raises CaseError."""
    found = {_parsed(text, MEASURE_NAMES, UNKNOWN_MEASURE) for text in texts}
    if "none" in found and len(found) > 1:
        raise CaseError(NONE_ALONE)
    return tuple(measure for measure in MEASURES if measure in found)


def _parsed(text: str, names: dict[Chosen, tuple[str, str]], sentence: str) -> Chosen:
    plain = " ".join(text.split())[:80]
    lowered = plain.lower()
    for key, (chinese, english) in names.items():
        if lowered in (key, english.lower()) or plain == chinese:
            return key
    raise CaseError(sentence, text=repr(plain), choices=", ".join(names))
