"""The exit codes of the command: scripts and units rely on them. Nothing else is known here."""

OK = 0  # ran to the end, mining found or not
RUN_ERROR = 1  # some input unreadable (the readable part is reported all the same), or an output lost
USAGE = 2  # the command line is wrong
BUSY = 75  # EX_TEMPFAIL of sysexits.h: another sensor writes the ledger; later it may be free
CONFIG = 78  # EX_CONFIG of sysexits.h: configuration or signatures are wrong; a unit must not restart on it
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
