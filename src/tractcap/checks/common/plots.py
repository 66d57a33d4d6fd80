"""Plots that look like the pictures beside them."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tractcap.palette import DISTINCT, Color, contrast, mix

DPI = 150
_DIM, _RULE = 0.3, 0.8
_POINTS = 9
"""Size of the words."""


def as_hex(color: Color) -> str:
    """A colour as matplotlib reads it."""
    return "#{:02x}{:02x}{:02x}".format(*color)


BLUE, ORANGE = as_hex(DISTINCT["skyblue"]), as_hex(DISTINCT["orange"])


@dataclass(frozen=True)
class Plot:
    """A plot to be filled: ``axes`` are matplotlib's, ``ink`` and ``dim`` colours that suit its background."""

    axes: Any
    ink: str
    dim: str


def sheet(
    title: str,
    columns: int,
    fill: Callable[[list[Plot]], None],
    *,
    background: Color,
    wide: float = 6.4,
    high: float = 3.6,
) -> Image.Image:
    """A picture of plots beside each other, filled by a function that is given them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ink, file = contrast(background), io.BytesIO()
    with _style(ink, background):
        figure = Figure((wide, high), DPI, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=_POINTS + 2, x=0.01, ha="left", color=as_hex(ink))
        axes = figure.subplots(1, columns, squeeze=False)[0]
        fill([Plot(one, as_hex(ink), as_hex(mix(ink, background, _DIM))) for one in axes])
        figure.savefig(file, format="png", facecolor=as_hex(background))
    return Image.open(file).convert("RGB")


def bins(values: NDArray[np.floating], threshold: float, most: int = 40) -> NDArray[np.float64]:
    """Edges of bins of a histogram of values of 0 or more, with one of them at the threshold."""
    high = max(float(values.max(initial=0)), threshold)
    rough = high / most
    wide = threshold / max(1, round(threshold / rough)) if rough < threshold else threshold * round(rough / threshold)
    return np.arange(0, high / wide + 1) * wide


@contextmanager
def _style(ink: Color, background: Color) -> Iterator[None]:
    from matplotlib import style

    dim, rule = (as_hex(mix(ink, background, share)) for share in (_DIM, _RULE))
    look = {
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), as_hex(background)),
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), as_hex(ink)),
        **dict.fromkeys(("xtick.color", "ytick.color", "axes.edgecolor"), dim),
        **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
        "grid.color": rule,
        "text.parse_math": False,  # names and units are what they are
        "font.size": _POINTS,
        "legend.frameon": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.titlelocation": "left",
        "axes.titlesize": _POINTS,
    }
    with style.context(["default", look]):  # not what some matplotlibrc of the user's says
        yield
