"""What a login says stands in the finding: wallet and verdict, the coin where it is certain, donations told from
miners.
"""

from __future__ import annotations

from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.finding import Finding, Wallet
from sensor.wallets import donation_login
from tests.session.dialogue import lines, only, shipped

XMR = "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz"
LTC = "LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk"
BLOB = "10" * 76
HASH = "abfac2575f41817930781732753dba0c11b288f00bbdfb41f064825c1cecc2bf"
JOB = f"""S {{"id":null,"method":"mining.notify","params":["a","{HASH}","01","02",[],"20000000","1a0ffff0",\
"689c3000",true]}}
"""


def cryptonote(login: str, agent: str = "XMRig/6.22.2 (Linux x86_64)", algo: str = "rx/0") -> str:
    return f"""
    C {{"id":1,"method":"login","params":{{"login":"{login}","pass":"x","agent":"{agent}","algo":["rx/0"]}}}}
    S {{"id":1,"error":null,"result":{{"id":"a","job":{{"blob":"{BLOB}","job_id":"7","target":"b88d0600",\
"algo":"{algo}"}},"status":"OK"}}}}
    """


def stratum(login: str, password: str = "x", agent: str = "cgminer/4.11.1") -> str:
    return f"""
    C {{"id":1,"method":"mining.subscribe","params":["{agent}"]}}
    S {{"id":1,"result":[[["mining.notify","2"]],"f1b0dee5",4],"error":null}}
    C {{"id":2,"method":"mining.authorize","params":["{login}","{password}"]}}
    S {{"id":2,"result":true,"error":null}}
    """


def several(*texts: str) -> list[Finding]:
    pipeline = Pipeline(shipped())
    for number, text in enumerate(texts, 1):
        pipeline.step(dialogue_events(lines(text), flow=number))
    return [one for one in pipeline.finish() if isinstance(one, Finding)]


def test_a_valid_wallet_names_its_coin() -> None:
    found = only(cryptonote(f"{XMR}.rig7"))
    assert (found.coin, found.login) == ("XMR", f"{XMR}.rig7")
    assert found.wallet == Wallet(XMR, "valid", ("XMR",), "xmr-standard", "right", None)


def test_a_wrong_checksum_names_none() -> None:
    found = only(stratum(f"{LTC[:-1]}x.w1") + JOB)
    assert found.coin is None
    assert found.wallet is not None
    assert (found.wallet.verdict, found.wallet.checksum, found.wallet.coins) == ("format matches", "wrong", ("LTC",))


def test_an_account_names_none_but_the_password_may() -> None:
    assert (only(stratum("kvetak.worker1")).coin, only(stratum("kvetak.worker1")).wallet) == (
        None,
        Wallet(None, "account"),
    )
    found = only(stratum("kvetak.worker1", "mc=LTC,d=64") + JOB)
    assert (found.coin, found.algorithm, found.algorithm_basis) == ("LTC", "scrypt", "stated")
    assert "d=64" not in str(found)


def test_a_wallet_and_the_coin_that_is_paid_name_nothing_that_is_mined() -> None:
    for login, password in ((f"{LTC}.w1", "x"), ("kvetak.worker1", "c=LTC,d=64"), (f"{LTC}.w1", "c=LTC")):
        found = only(stratum(login, password, "ccminer/2.3.1") + JOB)
        assert (found.coin, found.algorithm, found.algorithm_basis, found.hashes_per_share) == (None,) * 4
        assert "d=64" not in str(found)
    assert only(stratum(f"{LTC}.w1", "c=LTC,m=solo") + JOB).coin == "LTC"
    paid = only(stratum(f"{LTC}.w1", "c=ltc,zap=SUGAR") + JOB)
    assert (paid.coin, paid.wallet and paid.wallet.payout) == ("SUGAR", "LTC")


def test_a_program_of_few_algorithms_mines_the_one_that_the_coin_has_that_is_paid() -> None:
    found = only(stratum(f"{LTC}.w1", "c=LTC,d=64", "cpuminer/2.5.1") + JOB)
    assert (found.coin, found.algorithm, found.algorithm_basis) == ("LTC", "scrypt", "stated")
    for password in ("x", "c=BTC", "c=VTC"):  # pools pay Bitcoin for anything; Vertcoin's is none of its algorithms
        found = only(stratum(f"{LTC}.w1", password, "cpuminer/2.5.1") + JOB)
        assert (found.coin, found.algorithm) == (None, None)


def test_a_wallet_paid_by_a_pool_that_converts_does_not_name_what_is_mined() -> None:
    found = only(cryptonote("BTC:bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr.rig#abcd-1234"))
    assert found.coin is None
    assert found.wallet is not None
    assert (found.wallet.payout, found.wallet.verdict) == ("BTC", "valid")
    assert only(cryptonote(f"{LTC}.rig")).coin is None


def test_an_address_of_every_chain_names_none_of_them() -> None:
    found = only(
        """
        C {"id":1,"method":"eth_submitLogin","params":["0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D"],"worker":"w"}
        S {"id":1,"jsonrpc":"2.0","result":true}
        C {"id":2,"method":"eth_getWork","params":[]}
        """
    )
    assert found.coin is None
    assert found.wallet is not None
    assert {"ETH", "ETC"} <= set(found.wallet.coins)


def test_a_donation_session_is_marked_and_is_no_wallet() -> None:
    found = only(cryptonote("6ab92f2a0c9c8eb1b8aa8d2a5d2d0fdbde4f3fd9a9b8fe4cf5b2b1dc6f1e1c0a"))
    assert (found.donation, found.coin, found.wallet) == (True, None, Wallet(None, "account"))
    assert found.reasons[-1] == "a donation session of XMRig, not another miner"
    assert not only(cryptonote(XMR)).donation


def test_a_key_of_iron_fish_is_no_donation() -> None:
    assert not only(stratum("da4f9e0b3e8fdc18c57895e48a2181b0172df64ba2706b948da04845235103d4")).donation


def test_a_donation_is_joined_with_the_login_it_is_for() -> None:
    own, donated = several(cryptonote(f"{XMR}.rig7"), cryptonote(donation_login(f"{XMR}.rig7"), agent="odd"))
    if own.donation:
        own, donated = donated, own
    assert (own.donation, donated.donation) == (False, True)
    assert donated.reasons[-1] == f"its login is the Keccak-256 of {XMR}.rig7, for whom it donates"


def test_the_hash_is_keccak_and_not_sha3() -> None:
    assert donation_login("") == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
