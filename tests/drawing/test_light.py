"""Light from the eye on lines: it tells how they run, and changes neither hues nor values."""

from pathlib import Path

import numpy as np
import phantoms
import pytest
from scenes import drawn

from tractcap.drawing.views import Frame
from tractcap.records.options import DATA, DIRECTION, ENDPOINTS, ONE, Coloring

FRAME = Frame((-50, -50, -50), (50, 50, 50))
SIZE = 200
SLANTS = (0, 20, 40, 60, 80)
"""Degrees out of the plane of the front view."""


def slanted(path: Path, degrees: float) -> Path:
    """A line through the middle that leaves the plane of the front view by so many degrees, with a value of 1."""
    turn = np.deg2rad(degrees)
    ends = np.array([[-np.cos(turn), -np.sin(turn), 0], [np.cos(turn), np.sin(turn), 0]]) * 40
    points = np.linspace(*ends, 50, dtype=np.float32)
    return phantoms.save(path, [points], data_per_point={"one": [np.ones((50, 1), np.float32)]})


def middles(path: Path, **how: object) -> dict[str, np.ndarray]:
    """The colour in the middle of each view, where the depth is the same for all."""
    views = ("anterior", "posterior", "superior")
    shown = drawn(path, FRAME, size=SIZE, views=views, width=3.0, **how)
    return {name: picture[SIZE // 2, SIZE // 2].astype(float) for name, picture in shown.items()}


def shares(folder: Path, **how: object) -> np.ndarray:
    """How bright lines of several slants are from the front, as shares of what they are from above, across the view."""
    found = []
    for degrees in SLANTS:
        seen = middles(slanted(folder / "a.trk", degrees), **how)
        np.testing.assert_array_equal(seen["anterior"], seen["posterior"])
        share = seen["anterior"].sum() / seen["superior"].sum()
        assert seen["anterior"] == pytest.approx(share * seen["superior"], abs=2), "the hue is the same"
        found.append(share)
    return np.array(found)


UNLIT = {
    "values": {"coloring": Coloring(DATA, name="one", limits=(0.0, 2.0))},
    "opacity": {"coloring": Coloring(ONE, color=(230, 159, 0)), "opacity": 0.99},
}
LIT = {
    "direction": {"coloring": Coloring(DIRECTION)},
    "end to end": {"coloring": Coloring(ENDPOINTS)},
    "one color": {"coloring": Coloring(ONE, color=(230, 159, 0))},
}


@pytest.mark.parametrize("name", [*LIT, *UNLIT])
def test_a_line_is_the_dimmer_the_more_it_points_at_the_eye(tmp_path: Path, name: str) -> None:
    """Never by more than half. Values stay as bright as the colour bar. (Slanted lines shade themselves anyway.)"""
    for other in UNLIT.values():
        light = shares(tmp_path, **(LIT | UNLIT)[name]) / shares(tmp_path, **other)
        assert light[0] == pytest.approx(1, abs=0.01)
        if name in UNLIT:
            assert light == pytest.approx(np.ones(len(SLANTS)), abs=0.02)
        else:
            assert (np.diff(light) < -0.02).all()
            assert light[2] > 0.75
            assert 0.5 < light[-1] < 0.65


def test_what_leads_through_a_slice_is_as_bright_as_what_lies_in_it(tmp_path: Path) -> None:
    """That is what one looks for there. (Beside values, since slanted lines shade themselves anyway.)"""
    shares = []
    for how in (LIT["one color"], UNLIT["values"]):
        across, through = (
            drawn(
                slanted(tmp_path / "a.trk", slant), FRAME, size=SIZE, views=("coronal",), at=(0, 0, 0), width=3.0, **how
            )
            for slant in (0, 60)
        )
        shares.append(through["coronal"][SIZE // 2, SIZE // 2].sum() / across["coronal"][SIZE // 2, SIZE // 2].sum())
    assert shares[0] == pytest.approx(shares[1], abs=0.02)


def test_light_goes_smoothly_around_a_bend_of_few_points(tmp_path: Path) -> None:
    """A quarter of a circle in five points, from across the view to along it: no steps, nothing brighter in between."""
    turn = np.linspace(0, np.pi / 2, 5)
    bend = np.stack([40 * np.sin(turn), 40 * np.cos(turn) - 40, 0 * turn], axis=1).astype(np.float32)
    path = phantoms.raw_tck(tmp_path / "a.tck", [bend])
    seen = drawn(path, FRAME, size=400, views=("anterior",), width=2.0, color=(200, 200, 200))["anterior"]
    row = seen[200, seen[200].any(axis=1), 0].astype(int)
    along = row[::-1] if row[0] < row[-1] else row
    assert len(along) > 80
    assert along[0] > 1.4 * along[-4]
    assert np.diff(along[2:-3]).max() <= 1
    assert np.diff(along[2:-8]).min() >= -8
