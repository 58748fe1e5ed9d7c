"""How plots look on light and on dark pages."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours on one kind of page; the accents are Okabe and Ito's (2008), lightened for dark pages."""

    ink: str
    faint: str
    first: str
    second: str
    third: str


LIGHT = Theme(ink="#44484f", faint="#c9ced6", first="#0072b2", second="#d98200", third="#009e73")
DARK = Theme(ink="#b9bec8", faint="#454b56", first="#56b4e9", second="#e6a532", third="#2fc79b")


def style(theme: Theme) -> dict[Any, object]:
    """What matplotlib calls rc parameters, for one kind of page; texts of the data are never read as formulas."""
    return {
        "svg.hashsalt": "report",
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.size": 9,
        **dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "legend.labelcolor"),
            theme.ink,
        ),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": theme.faint,
        "grid.linewidth": 0.5,
    }
