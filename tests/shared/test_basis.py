"""Sessions that came out as another coin's, or a factor of 65,536 too high, are what they are."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sensor.intake import engine
from sensor.line.replay import replay
from sensor.model.finding import Finding
from sensor.signatures import load

CASES = Path(__file__).parents[3] / "shared" / "cases" / "mining"
pytestmark = [pytest.mark.shared, pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")]
SIGNATURES = load()

#: Dialect, coin, algorithm, how that is known, hashes a share, about how many a second.
RIGHT = {
    "spectre-tnn": ("kaspa", "SPR", "spectrex", "stated", 256 * 58.6, 1.5e3),
    "kas-midstream-vardiff-80hex": ("kaspa", None, "kheavyhash", "stated", 4096 * 2.0**32, 8.8e12),
    "kas-rigel-gpu-1GH": ("kaspa", "KAS", "kheavyhash", "stated", 8 * 2.0**32, 1e9),
    "verus-phone-1.4MHs": ("verus", "VRSC", "verushash", "proven", 2.0**25, 1.4e6),
    "zpool-yespower-btcpayout": ("stratum-v1", "SUGAR", "yespower", "stated", 0.05 * 2**48 / 65535 / 65536, 473.0),
    "xmrig-ghostrider-account": ("stratum-v1", None, "ghostrider", "stated", 0.05 * 2**48 / 65535 / 65536, 1.4e3),
    "zano-ethproxy": ("ethproxy", "ZANO", "progpowz", "assumed", 2e8, 1e7),
    "hoosat-relative": ("kaspa", "HTN", "hoohash", "stated", 2.0**31, 2e8),
    "ergo-f2pool-real": ("ergo", "ERG", "autolykos2", "proven", 2.0**32, 5.26e7),
    "aeternity": ("aeternity", "AE", "cuckoo29", "proven", 2000.0, 66.0),
    "moneroocean-kawpow": ("kawpow", None, "kawpow", "proven", 4.24e9, 5.7e7),
    "alephium-hero": ("alephium", "ALPH", "blake3", "proven", 4.8e10, 4e9),
    "pearl-object-hero": ("pearl", "PRL", "pearlhash", "proven", 2.0**256 / (0x7FFF8 << 184), 3e13),
    "pearl-alphapool": ("pearl", "PRL", "pearlhash", "proven", 32768 * 2.0**48 / 65535, 4.6e12),
    "duinocoin": ("duinocoin", "DUCO", "ducos1", "proven", 50 * 15_000, 1.5e5),
    "aleo-zkwork-binary": ("aleo", "ALEO", "aleo", "proven", 5e6, 6.2e5),
    "epic-randomx": ("epic", "EPIC", "rx/epic", "proven", 4e5, 3.3e4),
}


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("case", RIGHT)
def test_a_case_is_what_it_is(case: str, name: engine.Name) -> None:
    try:
        core = engine.load(name)
    except engine.EngineError as error:
        pytest.skip(str(error))
    done = replay([str(CASES / f"{case}.pcap")], SIGNATURES, core, {"workers": 1, "flows": 1024})
    (found,) = (record for record in done.records if isinstance(record, Finding))
    dialect, coin, algorithm, basis, per_share, rate_hps = RIGHT[case]
    assert (found.dialect, found.coin, found.algorithm, found.algorithm_basis) == (dialect, coin, algorithm, basis)
    assert found.hashes_per_share == pytest.approx(per_share, rel=1e-3)
    assert found.hashrate_hps is not None
    assert abs(math.log2(found.hashrate_hps.best / rate_hps)) < 0.8  # nine shares are few
    if basis == "assumed":
        assert found.power_watts is None


def test_the_wallet_of_the_login_is_whose_shares_name_its_session() -> None:
    core = engine.load("reference")
    done = replay([str(CASES / "moneroocean-kawpow.pcap")], SIGNATURES, core, {"workers": 1, "flows": 1024})
    (found,) = (record for record in done.records if isinstance(record, Finding))
    assert found.login is not None
    assert (found.login[:4], len(found.login)) == ("4sQu", 95)
    assert (found.agent, found.shares.accepted) == ("Meta Miner v4.4", 5)


def test_shares_that_get_no_answer_are_not_accepted() -> None:
    core = engine.load("reference")
    done = replay([str(CASES / "aleo-zkwork-binary.pcap")], SIGNATURES, core, {"workers": 1, "flows": 1024})
    (found,) = (record for record in done.records if isinstance(record, Finding))
    assert (found.shares.submitted, found.shares.accepted, found.shares.unanswered) == (5, 0, 5)
    assert (found.login or "")[:5] == "aleo1"
    assert found.activity == "mining"


#: Dialect, coin, login, shares that are answered. What they are worth is not known.
COUNTED = {
    "qubic-qatum": ("qubic", "QUBIC", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH", 5),
}


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("case", COUNTED)
def test_shares_of_unknown_work_are_counted(case: str, name: engine.Name) -> None:
    try:
        core = engine.load(name)
    except engine.EngineError as error:
        pytest.skip(str(error))
    done = replay([str(CASES / f"{case}.pcap")], SIGNATURES, core, {"workers": 1, "flows": 1024})
    (found,) = (record for record in done.records if isinstance(record, Finding))
    dialect, coin, login, accepted = COUNTED[case]
    assert (found.dialect, found.coin, found.login, found.shares.accepted) == (dialect, coin, login, accepted)
    assert (found.shares.submitted, found.activity) == (accepted, "mining")
    assert found.hashrate_hps is None


def test_who_only_watches_is_an_observer_and_a_game_is_nothing() -> None:
    core = engine.load("reference")
    limits = {"workers": 1, "flows": 1024}
    (watcher,) = replay([str(CASES.parent / "ordinary/pool-watcher.pcap")], SIGNATURES, core, limits).records
    assert isinstance(watcher, Finding)
    assert (watcher.activity, watcher.coin, watcher.power_watts) == ("observer", None, None)
    assert replay([str(CASES.parent / "ordinary/game-mining-rpc.pcap")], SIGNATURES, core, limits).records == []


def test_the_password_stays_where_it_was() -> None:
    core = engine.load("reference")
    done = replay([str(CASES / "zpool-yespower-btcpayout.pcap")], SIGNATURES, core, {"workers": 1, "flows": 1024})
    assert "zap=" not in str(done.records)
