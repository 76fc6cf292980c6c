"""What names and addresses say of who is at the other end, and for how long: the catalogue's hosts, addresses that a
look-up bound to one, addresses learnt from clear sessions, and addresses that too many names share. Sans-IO: time is
handed in. Knows signatures and plain data; no findings, no sessions.

Nothing of it outlives the process: after a restart an address is bound again by the next look-up or clear session.
"""
