"""Finds segments that what was drawn before hides: they needn't be drawn.

Each shot keeps a coarse map of what is farthest in each tile and its neighbours, as in a hierarchical depth buffer
(Greene, Kass and Miller, Hierarchical Z-buffer visibility, SIGGRAPH 1993). A segment that lies behind that, wherever in
its surroundings it falls, would not change a pixel: the picture is the same to the last bit.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tractcap.drawing.lines import DrawableLines
from tractcap.drawing.shot import Shot
from tractcap.drawing.views import Frame, Vector

_FITTING = 95
"""Percent of segments that fit the tiles; longer ones are always drawn."""

_LEAST = 0.1
"""mm; tiles fit segments half of which is so long, or longer."""

_ROUNDING = 1.5
"""Samples by which OpenGL may round places, and what edges of lines take."""

_SLACK = 2e-5
"""Of the depth of a shot: more than single precision loses of it."""

_BAND_SAMPLES = 2**17

Rows = Callable[[int, int], NDArray[np.float32]]
"""Depths in mm of rows of a shot, from one up to another."""


class Occlusion:
    """What is hidden in each of a canvas' shots.

    Parameters
    ----------
    widths : of each shot's lines, in samples. lines : some of those that will be drawn, to learn how long segments are.
    """

    def __init__(self, shots: "Sequence[Shot]", frame: Frame, widths: Sequence[float], lines: DrawableLines) -> None:
        self.shots = shots
        self._center = np.array(frame.center, np.float32)
        self._half = max(_LEAST, _Segments(lines, self._center).half(_FITTING))
        self._maps = [_Map(shot, frame, width, self._half) for shot, width in zip(shots, widths, strict=True)]

    def learn(self, place: int, rows: Rows) -> None:
        """Take in what has been drawn into a shot."""
        self._maps[place].learn(rows)

    def seen(self, lines: DrawableLines) -> Iterator[tuple[int, DrawableLines]]:
        """Of each shot in which they may be seen the place, and which lines, or parts of lines, they are."""
        segments = _Segments(lines, self._center)
        for place, map_ in enumerate(self._maps):
            seen = segments.seen(map_, self._half)
            if not seen.any():
                continue
            needed = np.zeros(len(lines.points), bool)
            needed[:-1] = seen
            needed[1:] |= seen
            places = np.flatnonzero(needed)
            begins = np.ones(len(places), bool)
            begins[1:] = ~seen[places[1:] - 1]
            offsets = np.append(np.flatnonzero(begins), len(places))
            yield place, lines.of(places, offsets)


class _Map:
    """A shot's tiles, each with how near to the eye a segment must be to be seen in it or in its neighbours.

    That, in ``floor``, is in mm from the frame's center towards the eye, tile after tile, row after row, along
    ``right`` and ``up``.
    """

    def __init__(self, shot: "Shot", frame: Frame, width: float, half: float) -> None:
        self.shot, scale = shot, shot.size / frame.width
        self._tile = int(np.ceil(half * scale + width / 2 + _ROUNDING))
        self.count = -(-shot.size // self._tile)
        self.tile = self._tile / scale
        self.beyond = (width / 2 + _ROUNDING) / scale
        """mm around a line within which something may be drawn."""
        self.right, self._mirrored = _ahead(shot.view.rightwards)
        self.up, self._turned = _ahead(shot.view.up)
        self._front, slack = np.float32(frame.depth / 2), np.float32(frame.depth * _SLACK)
        self._back = self._front + slack
        self.nearest = self._back - np.float32(shot.near)
        self.floor = np.full(self.count**2, self._front - np.float32(shot.far) - slack, np.float32)

    def learn(self, rows: Rows) -> None:
        """Take in depths."""
        # where tiles begin, in samples, and where the last ends: they lie evenly around the center
        outside = (self.count * self._tile - self.shot.size) // 2
        edges = [*(max(0, number * self._tile - outside) for number in range(self.count)), self.shot.size]
        step = max(1, _BAND_SAMPLES // (self._tile * self.shot.size))
        bands = []
        for first in range(0, self.count, step):
            last = min(first + step, self.count)
            within = np.array(edges[first:last])
            depths = rows(edges[first], edges[last])
            bands.append(np.maximum.reduceat(depths, within - within[0], axis=0))
        columns = np.ascontiguousarray(np.concatenate(bands).T)
        farthest = np.maximum.reduceat(columns, edges[:-1], axis=0).T
        farthest = np.minimum(farthest, np.float32(self.shot.far))
        upwards = farthest[:: 1 if self._turned else -1, :: -1 if self._mirrored else 1]
        padded = np.pad(upwards, 1)  # what is out of the picture hides nothing, and is not seen either
        tall = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
        wide = np.maximum(np.maximum(tall[:, :-2], tall[:, 1:-1]), tall[:, 2:])
        self.floor = (2 * self._front - self._back - wide).reshape(-1)


def _ahead(direction: Vector) -> tuple[Vector, bool]:
    """A direction or its opposite, the same for both, and whether it is the opposite."""
    back = next(part for part in direction if part) < 0
    x, y, z = (-part if back else part for part in direction)
    return (x + 0.0, y + 0.0, z + 0.0), back


class _Segments:
    """Those between each point and the next. What views share, such as opposite ones, is worked out once."""

    def __init__(self, lines: DrawableLines, center: NDArray[np.float32]) -> None:
        places: NDArray[np.float32] = np.ascontiguousarray((lines.points - center).T)
        begin, end = places[:, :-1], places[:, 1:]
        self._real = np.ones(begin.shape[1], bool)
        self._real[lines.offsets[1:-1] - 1] = False  # from one line to the next
        two = np.float32(2)
        self._middle, self._halves = (begin + end) / two, (end - begin) / two
        self._longest = np.sqrt((self._halves**2).sum(axis=0))
        self._reaches: dict[tuple[Vector, float], NDArray[np.float32]] = {}
        self._tiles: dict[tuple[Vector, Vector, float, int], NDArray[np.int32]] = {}

    def half(self, percent: float) -> float:
        """In mm, what so many percent of halves of segments are no longer than."""
        return float(np.percentile(self._longest[self._real], percent)) if self._real.any() else 0.0

    def seen(self, map_: _Map, half: float) -> NDArray[np.bool_]:
        """Which may be seen in a shot: they aren't hidden, or are too long for its tiles."""
        middle, reach = _along(self._middle, map_.shot.view.seen_from), self._reach(map_)
        seen = middle + reach >= map_.floor.take(self._tile(map_))
        seen &= middle - reach <= map_.nearest
        seen |= self._longest > half
        seen &= self._real
        return seen

    def _reach(self, map_: _Map) -> NDArray[np.float32]:
        """How far from its middle, in mm towards the eye and away, each is drawn.

        OpenGL lets the depth of a line go on beyond its ends and to its sides: far, if it all but points at the eye.
        """
        toward, _ = _ahead(map_.shot.view.seen_from)
        key = (toward, map_.beyond)
        if key not in self._reaches:
            half = np.abs(_along(self._halves, toward))
            across = np.sqrt(np.maximum(self._longest**2 - half**2, 0))
            with np.errstate(divide="ignore", invalid="ignore"):
                reach = half + half * np.float32(map_.beyond) / across
            self._reaches[key] = np.where(across > 0, reach, np.float32(np.inf))
        return self._reaches[key]

    def _tile(self, map_: _Map) -> NDArray[np.int32]:
        """The number of the tile that each segment's middle is in."""
        key = (map_.right, map_.up, map_.tile, map_.count)
        if key not in self._tiles:
            across, upwards = (
                np.clip(
                    _along(self._middle, direction) * np.float32(1 / map_.tile) + np.float32(map_.count / 2),
                    0,
                    map_.count - 1,
                ).astype(np.int32)
                for direction in (map_.right, map_.up)
            )
            self._tiles[key] = upwards * np.int32(map_.count) + across
        return self._tiles[key]


def _along(places: NDArray[np.float32], direction: Vector) -> NDArray[np.float32]:
    """Of (3, N) places how far, in mm, they lie along a direction."""
    parts = [column * np.float32(share) for column, share in zip(places, direction, strict=True) if share]
    total: NDArray[np.float32] = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
