"""The control bits of a TCP header that the core looks at (RFC 9293 section 3.1)."""

from __future__ import annotations

FIN, SYN, RST, ACK, URG = 0x01, 0x02, 0x04, 0x10, 0x20
