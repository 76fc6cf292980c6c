"""`python -m sensor.cli` is `minewatch`."""

from sensor.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
