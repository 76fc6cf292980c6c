"""How long the bulletin of a province's week takes: 4,502 addresses from a ledger, in every form, by the command as a
user gives it.

    python -m tests.bench.bulletin [--addresses 4502] [--keep FOLDER]

Prints the seconds for one language in each form and for all at once, and holds the figures to the truth of the
simulation. To pass: at most 10 s for a whole bulletin (one language, every form).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sensor.ledger import Ledger
from tests.bulletin.simulation import WEEK, simulate

LIMIT_S = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--addresses", type=int, default=4502)
    parser.add_argument("--keep", type=Path, help="folder in which ledger and bulletins stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'ledger.db'}"
        start = time.perf_counter()
        ledger = Ledger.open(url)
        truth = simulate(ledger, options.addresses)
        ledger.close()
        print(
            f"simulated {len(truth.addresses):,} addresses in {time.perf_counter() - start:.1f} s, "
            f"true energy {truth.kwh:,.0f} kWh"
        )
        words = [sys.executable, "-m", "sensor.cli", "bulletin", "--week", WEEK, "--ledger", url, "-o", str(folder)]
        start = time.perf_counter()
        subprocess.run([*words, "--lang", "zh"], check=True)
        taken = time.perf_counter() - start
        print(f"bulletin in Chinese, every form: {taken:.2f} s")
        start = time.perf_counter()
        subprocess.run([*words, "--lang", "both"], check=True)
        print(f"both languages, every form: {time.perf_counter() - start:.2f} s")
        said = json.loads((folder / f"bulletin-{WEEK}.zh.json").read_text())
        facts = {one["key"]: one["value"] for one in said["sections"][0]["blocks"][0]["facts"]}
        week = facts["week_kwh"]
        print(
            f"addresses {facts['addresses']:,}, "
            f"energy {week['best']:,.0f} kWh ({week['low']:,.0f} to {week['high']:,.0f})"
        )
        right = facts["addresses"] == len(truth.addresses) and week["low"] <= truth.kwh <= week["high"]
    return 0 if right and taken <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
