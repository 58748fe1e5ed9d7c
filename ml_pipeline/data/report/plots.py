"""Plots as SVG in data URIs, once for light and once for dark pages; equal numbers give equal bytes.

No text of the data goes into a plot: fonts lack most scripts. Names stand in the page around it.
"""

import base64
import io
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter
from numpy.typing import ArrayLike

from ml_pipeline.report_page.page import Plot
from ml_pipeline.report_page.theme import DARK, LIGHT, Theme, style
from ml_pipeline.report_page.words import count

_LARGE_INCH, _SMALL_INCH = (9.0, 3.0), (2.75, 1.7)
_TICKS_PX = (64, 100, 150, 200, 300, 450, 700, 1000, 1500, 2200, 3000, 4500, 6500)
_MOST_TICKS = 6


def correlation_histogram(
    copies: Sequence[float], others: Sequence[float], same_id: Sequence[float], threshold: float
) -> Plot:
    """How alike the compared pairs are, on a logarithmic count, with the threshold."""
    bins = np.linspace(-0.2, 1, 61).tolist()

    def draw(axes: Axes, theme: Theme) -> None:
        low, high = bins[0], bins[-1]
        for values, colour, label in (
            (others, theme.second, "different ids, told apart"),
            (copies, theme.first, "different ids, joined"),
        ):
            axes.hist(np.clip(values, low, high), bins, color=colour, alpha=0.85, label=label)
        if same_id:
            axes.hist(np.clip(same_id, low, high), bins, histtype="step", color=theme.third, lw=1.8, label="same id")
        axes.axvline(threshold, color=theme.ink, linestyle="--", linewidth=1, label=f"threshold {threshold:g}")
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        axes.set(xlabel="correlation of fine structure", ylabel="pairs", xlim=(low, high))
        axes.legend(frameon=False, fontsize=9)

    description = f"Histogram of the correlations of {count(len(copies) + len(others) + len(same_id))} pairs."
    return _plot(draw, _LARGE_INCH, description)


def log_histogram(values: Sequence[float], *, title: str, unit: str, limits: tuple[float, float]) -> Plot:
    """Counts over a logarithmic axis of those limits."""
    low, high = limits[0] / 1.1, limits[1] * 1.1
    bins = np.geomspace(low, high, 40).tolist()

    def draw(axes: Axes, theme: Theme) -> None:
        axes.hist(values, bins, color=theme.first)
        axes.set_xscale("log")
        ticks = [tick for tick in _TICKS_PX if low <= tick <= high]
        axes.set_xticks(ticks[:: 1 + len(ticks) // _MOST_TICKS] or [round(float(np.sqrt(low * high)))])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        axes.minorticks_off()
        axes.set(xlim=(low, high), xlabel=unit)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))

    description = f"Histogram of {unit} of {count(len(values))} photos."
    return _plot(draw, _SMALL_INCH, description, title, f"n = {count(len(values))}")


def share_histogram(
    values: Sequence[float], everything: Sequence[float], *, bins: ArrayLike, title: str, unit: str, top: float
) -> Plot:
    """Shares of one class, with those of all as an outline; `top` is the end of the axis of shares."""
    edges = np.asarray(bins, float)

    def draw(axes: Axes, theme: Theme) -> None:
        axes.stairs(shares(values, edges), edges, fill=True, color=theme.first)
        axes.stairs(shares(everything, edges), edges, color=theme.ink, linewidth=1)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlim=(edges[0], edges[-1]), ylim=(0, top), xlabel=unit)

    description = f"Histogram of {unit} of {count(len(values))} photos, with that of all photos as an outline."
    return _plot(draw, _SMALL_INCH, description, title, f"n = {count(len(values))}")


def shares(values: Sequence[float], edges: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Share of the values in each bin; zeros without a value."""
    counts = np.histogram(values, np.asarray(edges, float))[0]
    return counts / max(1, len(values))


def _plot(
    draw: Callable[[Axes, Theme], None],
    size_inch: tuple[float, float],
    description: str,
    title: str = "",
    note: str = "",
) -> Plot:
    svg = _svg(draw, size_inch, LIGHT)
    return Plot(_uri(svg), _uri(_recoloured(svg)), description, title, note)


def _svg(draw: Callable[[Axes, Theme], None], size_inch: tuple[float, float], theme: Theme) -> str:
    buffer = io.BytesIO()
    with mpl.rc_context(style(theme)):
        figure = Figure(figsize=size_inch, layout="constrained")
        draw(figure.subplots(), theme)
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue().decode()


def _recoloured(svg: str) -> str:
    """The same on a dark page; drawing it anew would take as long again."""
    for name in Theme.__slots__:
        svg = svg.replace(getattr(LIGHT, name), getattr(DARK, name))
    return svg


def _uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
