"""Evidence files: the first packets of a finding's connections, to be opened in Wireshark or replayed. Off unless a
folder is named.

The line sees bytes in their order and no frames, so headers below and of TCP are rebuilt from what is known of the
flow, and each file says so. Passwords are never written: what is not understood as a message is blanked as a whole.
"""

from sensor.evidence.bounds import EvidenceBounds
from sensor.evidence.files import EvidenceFiles
from sensor.evidence.keeper import EvidenceKeeper, HeldFlow

__all__ = ["EvidenceBounds", "EvidenceFiles", "EvidenceKeeper", "HeldFlow"]
