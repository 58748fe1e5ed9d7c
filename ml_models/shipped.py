"""Which model comes with the code and serves where nothing else is said. Names only: the settings read it."""

from pathlib import Path

SHIPPED_MODEL = Path(__file__).parent / "trained" / "lesion-lite0"
