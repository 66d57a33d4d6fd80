"""Plots that look like the pictures beside them."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from tractcap.checks.common.output import CheckOutput
from tractcap.color_names import DISTINCT, as_hex, contrast, mix

DPI = 150
_POINTS = 9
"""Size of the words."""

_HIGH = 3.6
_LEFT, _RIGHT, _BELOW, _ABOVE = 0.9, 0.2, 0.6, 0.7
"""Inches: the height, and the room around a plot for its words. matplotlib's layouts find that out by drawing twice."""


BLUE, ORANGE = as_hex(DISTINCT["skyblue"]), as_hex(DISTINCT["orange"])


@contextmanager
def figure(
    output: CheckOutput, name: str, title: str, heading: str, columns: int = 1, wide: float = 6.4
) -> Iterator[list[Axes]]:
    """Plots beside each other, to be filled, which then become a picture of a check.

    Parameters
    ----------
    name, title : see :meth:`CheckOutput.picture`. heading : stands above the plots, after the bundle's title.
    """
    background = output.background
    ink = contrast(background)
    dim, rule = (as_hex(mix(ink, background, share)) for share in (0.3, 0.8))
    settings = {
        **dict.fromkeys(("figure.facecolor", "axes.facecolor"), as_hex(background)),
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
        "axes.titley": 1.0,  # else all ticks are made and measured once more, to find where it may stand
    }
    with style.context(["default", settings]):  # not what some matplotlibrc of the user's says
        sheet = Figure((wide, _HIGH), DPI)
        canvas = FigureCanvasAgg(sheet)
        sheet.suptitle(f"{output.title}: {heading}", fontsize=_POINTS + 2, x=0.01, ha="left", color=as_hex(ink))
        each = (wide - _RIGHT - columns * _LEFT) / columns
        edges = {"left": _LEFT / wide, "right": 1 - _RIGHT / wide, "bottom": _BELOW / _HIGH, "top": 1 - _ABOVE / _HIGH}
        yield list(sheet.subplots(1, columns, squeeze=False, gridspec_kw={**edges, "wspace": _LEFT / each})[0])
        canvas.draw()  # type: ignore[no-untyped-call]  # not savefig, which would draw it twice
    output.picture(name, title, Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]))  # type: ignore[no-untyped-call]


def line_at(axes: Axes, value: float, label: str = "") -> None:
    """A dashed line across, such as a threshold."""
    axes.axvline(value, color=axes.title.get_color(), linestyle="--", label=label)


def bins(values: NDArray[np.floating], threshold: float, most: int = 40) -> NDArray[np.float64]:
    """Edges of bins of a histogram of values of 0 or more, with one of them at the threshold."""
    high = max(float(values.max(initial=0)), threshold)
    rough = high / most
    wide = threshold / max(1, round(threshold / rough)) if rough < threshold else threshold * round(rough / threshold)
    return np.arange(0, high / wide + 1) * wide
