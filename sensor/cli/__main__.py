"""`python -m sensor.cli` is `minewatch`."""

from sensor.cli.main import main

raise SystemExit(main())
