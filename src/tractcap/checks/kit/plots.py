"""Plots that look like the pictures beside them."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image

from tractcap.drawing.palette import Color, contrast, mix

DPI = 150
_DIM, _RULE = 0.3, 0.8
_POINTS = 9
"""Size of the words."""


@dataclass(frozen=True)
class Plot:
    """A plot to be filled: ``axes`` are matplotlib's, ``ink`` and ``dim`` colours that suit its background."""

    axes: Any
    ink: str
    dim: str


class Sheet:
    """One picture of a plot, or of several beside each other. Use :meth:`plots`, then :meth:`image`."""

    def __init__(
        self, title: str, columns: int = 1, *, wide: float = 6.4, high: float = 3.6, background: Color
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._ink, self._background = contrast(background), background
        with self._style():
            self._figure = Figure((wide, high), DPI, layout="constrained")
            FigureCanvasAgg(self._figure)
            self._figure.suptitle(title, fontsize=_POINTS + 2, x=0.01, ha="left", color=_hex(self._ink))
            axes = self._figure.subplots(1, columns, squeeze=False)[0]
        self.plots = [Plot(one, _hex(self._ink), _hex(mix(self._ink, background, _DIM))) for one in axes]

    def image(self) -> Image.Image:
        """The finished picture."""
        file = io.BytesIO()
        with self._style():
            self._figure.savefig(file, format="png", facecolor=_hex(self._background))
        return Image.open(file).convert("RGB")

    @contextmanager
    def _style(self) -> Iterator[None]:
        from matplotlib import rc_context

        dim, rule = (_hex(mix(self._ink, self._background, share)) for share in (_DIM, _RULE))
        ground = _hex(self._background)
        with rc_context(
            {
                **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), ground),
                **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), _hex(self._ink)),
                **dict.fromkeys(("xtick.color", "ytick.color", "axes.edgecolor"), dim),
                **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
                "grid.color": rule,
                "font.size": _POINTS,
                "legend.frameon": False,
                "axes.grid": True,
                "axes.axisbelow": True,
                "axes.titlelocation": "left",
            }
        ):
            yield


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
