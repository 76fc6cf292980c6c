"""Every sentence that the sensor records, that commands say to the desk and that the page of a replay says is in a
catalogue, none besides, and each with its figures; and each form is found again in what it made."""

from __future__ import annotations

import re
import string
import time
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.forms.documents.labels import CATEGORIES, GRADES, SERVICES
from exporters.forms.documents.recorded_sentences import DETAILS, NUMBERS, SENTENCES, recorded
from exporters.forms.documents.translations import catalogue
from tests.documents.catalogue import KEYWORDS

ROOT = Path(__file__).parents[2]
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
#: The package of a catalogue, the folder of its sentences, what of that folder is others', and whose it also has.
ROOMS = {
    "sensor": ("sensor", ("cli/", "console/"), ()),
    "sensor.cli": ("sensor/cli", (), ("exporters.forms.documents", "exporters.forms.report")),
    "exporters.forms.report": ("exporters/forms", ("documents/",), ("exporters.forms.documents",)),
}
FIGURES = re.compile(r"{\w+}")
CHINESE = re.compile(r"[\u4e00-\u9fff，；：（、]")
FORMS = {form: text for form, text in catalogue("zh", "sensor").items() if FIGURES.search(form)}


def sentences(package: str) -> dict[str, str]:
    """Every sentence of a room with where it stands."""
    folder, others, _ = ROOMS[package]
    options = {"**.py": {"encoding": "utf-8"}}
    found = extract_from_dir(str(ROOT / folder), METHODS, keywords=KEYWORDS, options_map=options)
    return {str(text): f"{name}:{line}" for name, line, text, _, _ in found if not name.startswith(others or "\0")}


@pytest.mark.parametrize("package", ROOMS)
def test_no_sentence_is_missing_and_none_is_left_over(package: str) -> None:
    others = {sentence for other in ROOMS[package][2] for sentence in catalogue("zh", other)}
    own, wanted = catalogue("zh", package), sentences(package)
    assert not {sentence: place for sentence, place in wanted.items() if sentence not in own and sentence not in others}
    assert not set(own) - set(wanted)


@pytest.mark.parametrize("package", ROOMS)
def test_every_translation_has_the_figures_of_its_sentence_and_is_chinese(package: str) -> None:
    for sentence, translation in catalogue("zh", package).items():
        assert sorted(FIGURES.findall(sentence)) == sorted(FIGURES.findall(translation)), sentence
        assert CHINESE.search(translation), sentence


@pytest.mark.parametrize("package", ROOMS)
def test_the_catalogue_is_whole(package: str) -> None:
    with (ROOT / package.replace(".", "/") / "locale" / "zh.po").open("rb") as file:
        messages = list(read_po(file))
    assert all(message.string and (not message.fuzzy or not message.id) for message in messages)
    assert len({message.id for message in messages}) == len(messages)


#: Data as it is met: names, addresses, codes; no sentences.
DATA = st.text(string.ascii_letters + string.digits + "._-/:测试", max_size=12).map("x".__add__)


def fields(form: str, draw: st.DataObject) -> dict[str, str]:
    names = [name[1:-1] for name in FIGURES.findall(form)]
    number = st.integers(0, 10**9).map(str)
    return {name: draw.draw(number if name in NUMBERS else DATA) for name in names}


@settings(max_examples=3, deadline=None)
@given(st.data())
def test_what_a_form_made_is_found_in_its_sentence_again(draw: st.DataObject) -> None:
    chinese = recorded("zh")
    for form, translation in FORMS.items():
        given_fields = fields(form, draw)
        wanted = {
            name: chinese(text) if name in SENTENCES else chinese.details(text) if name in DETAILS else text
            for name, text in given_fields.items()
        }
        assert chinese(form.format(**given_fields)) == translation.format(**wanted), form


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    assert isinstance(recorded("zh")(text), str)
    assert recorded("en")(text) == text


def test_codes_inside_of_a_sentence_are_translated_and_data_is_not() -> None:
    chinese = recorded("zh")
    assert chinese("but the books call it a data-centre") == "但台账记载为数据中心"
    assert chinese("its range is filed as broadband") == "其地址段备案用途为宽带接入"
    assert chinese("allowed: the login was refused") == "已列入白名单：the login was refused"
    assert chinese("203.0.113.0/24, ports 1024-2047, VLAN 7 is allocated to host of none") == (
        "203.0.113.0/24, 端口 1024-2047, VLAN 7 分配给host of none"
    )
    assert chinese("the pool answered submit and sent notify; the miner was not heard") == (
        "矿池应答了 submit，并发送了 notify；未采集到矿机一方"
    )
    for code in (*GRADES, *CATEGORIES, *SERVICES):
        assert code not in chinese(f"the books call it {code}")


def test_a_sentence_of_an_attacker_costs_no_more_than_its_length() -> None:
    chinese = recorded("zh")
    hostile = " port ".join("1" * 3 for _ in range(500)) + " belongs to x by computation (RFC 7422)"
    began = time.process_time()
    for _ in range(20):
        chinese(hostile)
        chinese("named: " + "(" * 4_000)
    assert time.process_time() - began < 2.0
