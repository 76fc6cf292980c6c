"""Traffic that resembles mining must give no finding of grade speaks or more; most of it gives nothing at all."""

from __future__ import annotations

import pytest

from sensor.model.evidence import Grade
from tests.session.dialogue import events, findings, run, unseen

HEX64 = "2c72441c7af80e1c6e75c59f68518e6bb1cfc7e71387b019a2eaf6078ce0d6cc"

SILENT = {
    "electrum": """
        C {"id":0,"method":"server.version","params":["electrum/4.5.5","1.4"]}
        S {"id":0,"result":["ElectrumX 1.16.0","1.4"]}
        C {"id":1,"method":"blockchain.headers.subscribe","params":[]}
        S {"id":1,"result":{"height":900000,"hex":"0dd264b8"}}""",
    "electrum script hashes": f"""
        C {{"id":2,"method":"blockchain.scripthash.subscribe","params":["{HEX64}"]}}
        S {{"id":2,"result":"{HEX64}"}}
        S {{"method":"blockchain.scripthash.subscribe","params":["{HEX64}","{HEX64}"]}}""",
    "bitcoin node": """
        C {"jsonrpc":"1.0","id":"c","method":"getblockchaininfo","params":[]}
        S {"result":{"chain":"main","blocks":900000},"error":null,"id":"c"}
        C {"jsonrpc":"1.0","id":"c","method":"getmininginfo","params":[]}
        S {"result":{"blocks":900000,"difficulty":1.0,"networkhashps":7e20},"error":null,"id":"c"}""",
    "ethereum node": """
        C {"id":1,"jsonrpc":"2.0","method":"eth_hashrate","params":[]}
        S {"id":1,"jsonrpc":"2.0","result":"0x0"}
        C {"id":2,"jsonrpc":"2.0","method":"eth_mining","params":[]}
        S {"id":2,"jsonrpc":"2.0","result":true}
        C {"id":3,"jsonrpc":"2.0","method":"eth_coinbase","params":[]}
        S {"id":3,"jsonrpc":"2.0","result":"0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D"}""",
    "ethereum logs": f"""
        C {{"id":1,"method":"eth_getLogs","params":[{{"topics":["0x{HEX64}","0x{HEX64}","0x{HEX64}"]}}]}}
        S {{"id":1,"result":["0x{HEX64}","0x{HEX64}","0x{HEX64}"]}}""",
    "language server": """
        C Content-Length: 60
        C {"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}
        S {"jsonrpc":"2.0","id":1,"result":{"capabilities":{}}}""",
    "tool server": """
        C {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"submit","arguments":{"job_id":"7"}}}
        S {"jsonrpc":"2.0","id":1,"result":{"content":[]}}""",
    "web api login": """
        C {"jsonrpc":"2.0","id":1,"method":"login","params":{"login":"anna","pass":"x"}}
        S {"jsonrpc":"2.0","id":1,"result":{"id":"5d1c6f3b","status":"OK"}}
        C {"jsonrpc":"2.0","id":2,"method":"submit","params":{"id":"5d1c6f3b","form":"leave"}}
        S {"jsonrpc":"2.0","id":2,"result":{"status":"OK"}}""",
    "router bus": """
        C {"id":1,"jsonrpc":"2.0","method":"call","params":["0","session","login",{"username":"root","password":"x"}]}
        S {"id":1,"jsonrpc":"2.0","result":[0,{"ubus_rpc_session":"c1ed6c7b025d0caca723a816fa61b668"}]}""",
    "batch queue": """
        C {"method":"submit","params":{"job_id":"4711","script":"run.sh","queue":"long"},"id":1}
        S {"id":1,"result":{"status":"OK"}}
        S {"method":"job","params":{"job_id":"4711","state":"done","target":"node7"}}""",
    "chat": """
        C {"type":"auth","params":{"user":"kim"}}
        S {"type":"authed","params":{"token":"t"}}
        C {"type":"submit","params":{"text":"mining.subscribe is the method"}}
        S {"type":"job","params":{"job_id":"1","text":"blob target"}}""",
    "game": """
        C {"method":"login","params":{"login":"Elodin","pass":"x","agent":"game/1.2"},"id":1}
        S {"id":1,"result":{"id":"x","job":{"job_id":"1","target":"dragon","blob":"map"},"status":"OK"}}
        C {"method":"submit","params":{"id":"x","job_id":"1","nonce":"sword","result":"slain"},"id":2}
        S {"id":2,"result":{"status":"OK"}}""",
    "queue with mining-like events": """
        C {"id":1,"method":"data-mining.subscribe","params":["topic"]}
        S {"id":1,"result":[["data-mining.notify","1"],"0a0b",4]}""",
    "rule download": """
        C GET /rules/mining.rules HTTP/1.1
        S HTTP/1.1 200 OK
        S alert tcp any any -> any any (msg:"miner"; content:"|7b 22|id"; content:"mining.subscribe"; sid:1;)
        S {"id":1,"method":"mining.subscribe","params":["cgminer/4.9"]}""",
    "page that quotes both sides": """
        C GET /stratum.txt HTTP/1.1
        S HTTP/1.1 200 OK
        S {"id":1,"method":"mining.subscribe","params":["cgminer/4.9"]}
        S {"id":1,"result":[[["mining.notify","ae"]],"08000002",4],"error":null}
        S {"id":2,"method":"mining.authorize","params":["a.b","x"]}
        S {"id":2,"result":true,"error":null}""",
    "mail that quotes a miner": """
        S 220 mx
        C Subject: strange traffic
        C {"id":1,"method":"eth_submitLogin","params":["0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D","x"]}
        C .
        S 250 ok""",
    "log shipper": """
        C {"time":"x","payload":"{\\"method\\":\\"mining.submit\\",\\"params\\":[]}","event_type":"alert"}
        S {"acknowledged":true}""",
    "search engine": """
        C POST /_bulk HTTP/1.1
        C {"index":{"_id":"1"}}
        C {"method":"mining.submit","params":["a.b","1","00000001","689c3007","0a1b2c3d"]}
        S HTTP/1.1 200 OK
        S {"errors":false,"items":[{"index":{"status":201}}]}""",
    "pretty printed": """
        C {
        C   "id": 1,
        C   "method": "mining.subscribe",
        C   "params": ["cgminer/4.9"]
        C }
        S {
        S   "result": true
        S }""",
    "method that is no text": """
        C {"id":1,"method":["mining.subscribe"],"params":["cgminer/4.9"]}
        C {"id":1,"method":{"mining.subscribe":1},"params":["cgminer/4.9"]}
        S {"id":1,"result":[[["mining.notify","ae"]],"08000002",4]}""",
    "params that are no list": """
        C {"id":1,"method":"mining.authorize","params":"acct"}
        S {"id":1,"result":true}""",
    "job api over rest": """
        C POST /jobs HTTP/1.1
        C {"job_id":"1","seed_hash":"abcd","blob":"x","target":"y"}
        S HTTP/1.1 201 Created
        S {"job_id":"1"}""",
    "monero wallet": """
        C {"id":"0","jsonrpc":"2.0","method":"get_info"}
        S {"id":"0","jsonrpc":"2.0","result":{"height":3300000,"target":120,"status":"OK"}}""",
    "monero template for a monitor": f"""
        C {{"id":"0","jsonrpc":"2.0","method":"get_block_template","params":{{"wallet_address":"4","reserve_size":8}}}}
        S {{"id":"0","jsonrpc":"2.0","result":{{"blocktemplate_blob":"{HEX64 * 3}","seed_hash":"{HEX64}",\
"status":"OK"}}}}""",
    "parse errors to a tls probe": """
        S {"id":0,"result":null,"error":[20,"Parse error",null]}
        S {"id":0,"result":null,"error":[20,"Parse error",null]}""",
    "vault keeper": """
        C {"id":1,"method":"keepalived","params":{}}
        S {"id":1,"result":{"status":"OK"}}""",
    "mqtt bridge": """
        C {"topic":"farm/rig1","payload":{"method":"submit","job_id":"1"}}
        S {"topic":"farm/rig1","ack":true}""",
}


@pytest.mark.parametrize("name", SILENT)
def test_a_look_alike_gives_nothing(name: str) -> None:
    assert [(one.dialect, one.grade.label, one.reasons) for one in findings(SILENT[name])] == []


@pytest.mark.parametrize("name", SILENT)
@pytest.mark.parametrize("direction", [0, 1])
def test_a_look_alike_seen_from_one_side_speaks_nothing(name: str, direction: int) -> None:
    records, _ = run(unseen(events(SILENT[name], midstream=True), direction))
    assert [one for one in records if not hasattr(one, "grade") or one.grade >= Grade.SPEAKS] == []


ATTEMPTS = {
    "a scanner that nobody answers": ('C {"id":1,"method":"mining.subscribe","params":["scan/1"]}', "was not answered"),
    "a scanner at a web server": (
        """C {"id":1,"method":"mining.subscribe","params":["scan/1"]}
           S HTTP/1.1 400 Bad Request
           S Connection: close""",
        "was not answered in kind",
    ),
    "a pool that refuses": (
        """C {"id":1,"method":"mining.subscribe","params":["cgminer/3.7.2"]}
           S {"id":1,"result":null,"error":{"code":-32601,"message":"Method not found"}}""",
        "was refused",
    ),
    "a scanner at a node": (
        f"""C {{"id":1,"method":"submit","params":{{"id":"1","job_id":"1","nonce":"00000000","result":"{HEX64}"}}}}
            S {{"id":1,"error":{{"code":-32601,"message":"Method not found"}}}}""",
        "",
    ),
    "an echo service": (
        """C {"id":1,"method":"mining.subscribe","params":["cgminer/3.7.2"]}
           S {"id":1,"method":"mining.subscribe","params":["cgminer/3.7.2"]}""",
        "",
    ),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_is_an_attempt_and_no_more(name: str) -> None:
    text, words = ATTEMPTS[name]
    found = findings(text)
    assert found
    for one in found:
        assert (one.grade, one.activity) == (Grade.CONTACTED, "attempt")
        assert one.confidence <= 0.6
        assert words in one.reasons[0]
        assert all(piece.grade <= Grade.CONTACTED for piece in one.evidence)
