"""Whose login it is: the wallet or account in it, the coins it can belong to, and how sure that is.

`identify` reads one login against the wallet forms of the signatures. Knows no sessions; a host name could add more.
"""

from sensor.wallets.coin import DONATION_LOGIN, donation_login, donation_software, fits, mined_coin
from sensor.wallets.login import Login, identify, prove

__all__ = ["DONATION_LOGIN", "Login", "donation_login", "donation_software", "fits", "identify", "mined_coin", "prove"]
