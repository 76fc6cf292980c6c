"""The synthetic addresses of the fact sheet, each with a valid checksum and no key, and their coins."""

from __future__ import annotations

ADDRESSES = {
    "1GZg2k2G9uGCkPKZ7XMRnn1WZhi5UfdU32": "BTC",
    "3HFgxHWhhoaaqZ1zEd22DQNSiDzo3jeafy": "BTC",
    "LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk": "LTC",
    "MPTqGAvfevS1e4HtLW1N33cr2vbF7zYijG": "LTC",
    "DLhmZzxuTKAVHPW9r7LzLYB7SqSNv2mtF4": "DOGE",
    "XrFWrzgA7cUnuKv8yQfeeJhJQ3HmWWCf9S": "DASH",
    "RQqs7FuYkj4mpPgkahLYtJLiKyAgA835gQ": "RVN",
    "t1ZSH35SQ8E3oM2NT3xAYvb7RpMuAHag2ZE": "ZEC",
    "t3a8Hxcvqg8NBSC4tB3q9MDUMxtBsuEmK61": "ZEC",
    "zngeb2AesoUmpMVb5xqavh633jCcktRPdaA": "ZEN",
    "GZQbSsMD8ksVprcr3U1YDYMQUsVvY11FHW": "BTG",
    "VqZVwTBiZiAQpADhrK14DgLNFX141h6utw": "VTC",
    "aGH8meTtNhG3ovkf7vfZZ4L2B4qRpVr45h": "FIRO",
    "Scrg4aoQtGTQGh71exLWLgA5DUwWMUhMzV": "DGB",
    "QcAf93JyLN92BXQaXrfuv3o94xenid1JaT": "QTUM",
    "NC93EPXF5HMmGva4PLg11JARHw78ZE4pXK": "NMC",
    "PQ9rBiR7CpkPjDzKTbfxTfynBSsxe29RdJ": "PPC",
    "EYiaXKrmarZ7jgvQvNLwnuzULMDD1ZsPTo": "EVR",
    "NbUeDVpXnTpe6Mi9Qm1KVRSCvSN5E3XRcK": "XNA",
    "AXLYgEstV3vMZMXYgB1kwfGc3JdmqGW8oa": "CLORE",
    "TRXt2oPzJdP9uZPBho19JvheUVTPmNerGf": "TRX",
    "A7zwh8abmsTUjvPTekgSTXzpQoNqBEXXLv": "DOGE",
    "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr": "BTC",
    "bc1prkakna8x37m7qmc6wzrxqunt5mmhvtcy47m3n7mjeqkajg6ge49srzv0q0": "BTC",
    "ltc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5j6fuqn": "LTC",
    "hs1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5skfeku": "HNS",
    "bitcoincash:qz4t03e45uzwrdjmaufsruvy7f3fv66qws6n2we5f8": "BCH",
    "kaspa:qprgnpts6z9u7csk63th22ktsk0acvewluyapp6wwz29xnttyfahy7u9udahf": "KAS",
    "cfx:aajmx47yb1tmznmyd9wp3s0uhbdcr0hg0accxvsda2": "CFX",
    "0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D": "ETH",
    "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz": "XMR",
    "84dovUPd7SMWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bW9qt4": "XMR",
    "4DWLbuZH8HTWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP7hPjzTwucKFA3aYyLv": "XMR",
    "9egj7YvLv6HnrzAE3ZtzsRZXYJENPg1cHcsehbQuryGrAeu89yf": "ERG",
    "8a990603ef91b81f02c4be7838b75f426f9e09145ff802b52add3f8bab3b00840a37d7051887": "SC",
    "EQCwRPAmIBsTySto5PYpXDa1cIbXYYyJnWsr_zokxlEPGoC2": "TON",
}
#: Forms without a checksum that is known.
SHAPES = {
    "1FzChLQQ7qaHBCWvWxRmkRuBtfKQqHM2cTpEqi5EVP7HQ": "ALPH",
    "da4f9e0b3e8fdc18c57895e48a2181b0172df64ba2706b948da04845235103d4": "IRON",
}
#: Test vectors that the specifications themselves publish: BIP 173 and 350, the CashAddr page, EIP-55, CIP-37.
SPECIFIED = {
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": "BTC",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": "BTC",
    "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a": "BCH",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": "ETH",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359": "ETH",
    "cfx:aarc9abycue0hhzgyrr53m6cxedgccrmmyybjgh4xg": "CFX",
    "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A": "XMR",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": "BTC",
}
