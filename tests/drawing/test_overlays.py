"""What lies beside the streamlines: in its place whatever its file's orientation, before, around and behind them."""

from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import phantoms
import pytest
from scenes import drawn, rest

from tractcap.color_names import Color
from tractcap.drawing import overlays
from tractcap.drawing.anatomy import SLICE_OPACITY
from tractcap.drawing.overlays import OPACITY, DrawableOverlay, OverlayMesh, Surfaces
from tractcap.drawing.views import VIEWS, Frame, View
from tractcap.records.options import ROI, Overlay
from tractcap.records.tractogram_sidecar import OverlayRecord, ShownOverlay

FRAME = Frame((-90, -120, -70), (90, 80, 110))
SIZE = 200
CENTER, RADIUS = (-30.0, 25.0, 40.0), 24.0
ORANGE = (230, 159, 0)

ORIENTATIONS = {
    "RAS": np.diag([1.5, 1.5, 1.5, 1]),
    "LPI": np.diag([-1.5, -1.5, -1.5, 1]),
    "PSR": np.array([[0, 0, 1.5, 0], [-1.5, 0, 0, 0], [0, 1.5, 0, 0], [0, 0, 0, 1]]),
    "LIA, slices 3 mm thick": np.array([[-1.2, 0, 0, 0], [0, 0, 3.0, 0], [0, -1.2, 0, 0], [0, 0, 0, 1]]),
    "oblique": np.block(
        [[nib.eulerangles.euler2mat(0.3, -0.2, 0.4) * [1.5, -1.5, 1.5], np.zeros((3, 1))], [0, 0, 0, 1]]
    ),
}


def ball_image(
    path: Path, orientation: str = "RAS", balls: dict[int, tuple[tuple[float, ...], float]] | None = None
) -> Path:
    """A ball, not in the middle of a grid of this orientation."""
    matrix, shape = ORIENTATIONS[orientation].copy(), (52, 56, 48)
    matrix[:3, 3] = np.array(CENTER) - matrix[:3, :3] @ [23.3, 30.1, 25.7]
    return phantoms.save_labels(path, balls or {1: (CENTER, RADIUS)}, matrix, shape)


def roi(path: Path, **colors: Color) -> DrawableOverlay:
    inspected = overlays.inspect(Overlay(ROI, "ball", str(path)))
    shown = {str(label): ORANGE for label in inspected.labels} or {"": ORANGE}
    return overlays.load(OverlayRecord(kind=ROI, name="ball", path=str(path), colors=shown | colors))


def line(path: Path, *ends: tuple[tuple[float, ...], tuple[float, ...]]) -> Path:
    return phantoms.raw_tck(path, [np.linspace(a, b, 20).astype(np.float32) for a, b in ends])


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """A short line in a corner, out of the way."""
    return line(tmp_path / "away.tck", ((80, 70, 100), (85, 75, 105)))


def from_center(view: str, point: tuple[float, ...] = CENTER) -> np.ndarray:
    """How many mm each pixel of a view lies from a point, across the view: (SIZE, SIZE)."""
    pixel = FRAME.width / SIZE
    away = np.array(point) - FRAME.center
    across = (np.arange(SIZE) + 0.5 - SIZE / 2) * pixel - away @ np.array(VIEWS[view].rightwards)
    up = (SIZE / 2 - np.arange(SIZE) - 0.5) * pixel - away @ np.array(VIEWS[view].up)
    return np.hypot(across[None], up[:, None])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_region_is_where_its_voxels_are_to_a_pixel(tmp_path: Path, away: Path, orientation: str) -> None:
    ball = roi(ball_image(tmp_path / "ball.nii.gz", orientation))
    pixel = max(FRAME.width / SIZE, 0.5 * np.linalg.norm(ORIENTATIONS[orientation][:3, :3], axis=0).max())
    for view, picture in drawn(away, FRAME, size=SIZE, overlays=[ball]).items():
        shown, distance = picture.max(axis=2) > 20, from_center(view)
        assert shown[distance < RADIUS - pixel].all(), view
        assert not shown[(distance > RADIUS + pixel) & (distance < 2 * RADIUS)].any(), view


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_surface_lies_on_the_faces_of_voxels_and_light_falls_on_a_smooth_one(
    tmp_path: Path, orientation: str
) -> None:
    (mesh,) = roi(ball_image(tmp_path / "ball.nii.gz", orientation)).meshes(VIEWS["left"])
    outward = mesh.points - np.array(CENTER)
    distance = np.linalg.norm(outward, axis=1)
    assert distance.mean() == pytest.approx(RADIUS, abs=0.15), "FURY's own contour is half a voxel too large"
    assert np.abs(distance - RADIUS).max() < 1.3
    assert mesh.normals is not None
    along = (mesh.normals * outward).sum(axis=1) / distance
    assert along.mean() > 0.985
    sides = mesh.points[mesh.triangles]
    facing = np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0])
    assert ((facing * (sides.mean(axis=1) - CENTER)).sum(axis=1) > 0).mean() > 0.99, "triangles face outwards"


def middle(picture: np.ndarray) -> np.ndarray:
    """The mean colour around the ball's middle, seen from the left."""
    return picture[from_center("left") < 3].mean(axis=0)


def over(color: np.ndarray, below: np.ndarray, opacity: float = OPACITY) -> np.ndarray:
    return below + opacity * (color - below)


def test_streamlines_before_in_and_behind_a_region_look_so(tmp_path: Path) -> None:
    """Seen from the left: one before the ball, one through it, one behind it, at different heights."""
    ball = roi(ball_image(tmp_path / "ball.nii.gz"))
    x, y, z = CENTER
    lines = [
        ((x - 40, y - 60, z + 8), (x - 40, y + 60, z + 8)),
        ((x, y - 60, z), (x, y + 60, z)),
        ((x + 40, y - 60, z - 8), (x + 40, y + 60, z - 8)),
    ]
    path = line(tmp_path / "lines.tck", *lines)
    how = {"views": ("left",), "size": SIZE, "width": 4.0}
    with_ball, without = (rest(path, FRAME, **how, overlays=beside).astype(float) for beside in ([ball], []))
    empty = rest(line(tmp_path / "a.tck", ((85, 75, 105), (80, 70, 100))), FRAME, **how, overlays=[ball]).astype(float)
    rows = [int(SIZE / 2 - (end[2] - FRAME.center[2]) * SIZE / FRAME.width) for end, _ in lines]
    column = int(SIZE / 2 - (y - FRAME.center[1]) * SIZE / FRAME.width)
    before, inside, behind = (with_ball[row, column] for row in rows)
    plain = [without[row, column] for row in rows]
    both = np.array([empty[row, column] for row in rows])
    # through both sides of the ball half of its colour is seen, through one not quite as much
    near, far = both / (1 - (1 - OPACITY) ** 2), both / (1 - (1 - OPACITY) ** 2)
    assert before == pytest.approx(plain[0], abs=2)
    assert inside == pytest.approx(over(near[1], plain[1]), abs=6)
    assert behind == pytest.approx(over(near[2], over(far[2], plain[2])), abs=6)
    assert np.abs(inside - behind).max() > 25


def test_a_slice_through_a_region_hides_what_is_behind_it(tmp_path: Path, away: Path) -> None:
    """Behind it the region shines through as much as the slice lets it."""
    head = phantoms.save_head(tmp_path / "head.nii.gz")
    ball = roi(ball_image(tmp_path / "ball.nii.gz"))
    how = {"views": ("left",), "size": SIZE, "anatomy": ("slices",)}
    near = far = middle(rest(away, FRAME, **how, overlays=[ball])) / (1 - (1 - OPACITY) ** 2)
    x, y, z = CENTER
    for what, at in (("before", x + 26), ("around", x), ("behind", x - 26)):
        there, plain = (
            middle(rest(away, FRAME, at=(at, y, z), reference=head, **how, overlays=beside)) for beside in ([ball], [])
        )
        shining = 1 - SLICE_OPACITY
        expected = {
            "before": over(near, over(far, plain)),
            "around": over(near, plain + shining * over(far, np.zeros(3))),
            "behind": plain + shining * over(near, over(far, np.zeros(3))),
        }
        assert there == pytest.approx(expected[what], abs=5), what


def test_views_in_a_slice_show_a_region_cut(tmp_path: Path, away: Path) -> None:
    """A ring, as large as the ball is there."""
    ball = roi(ball_image(tmp_path / "ball.nii.gz"))
    x, y, z = CENTER
    up = RADIUS * 0.6
    picture = rest(away, FRAME, views=("axial",), size=SIZE, at=(x, y, z + up), slab=2.0, overlays=[ball])
    shown, distance = picture.max(axis=2) > 20, from_center("axial")
    radii = np.sqrt(RADIUS**2 - np.array([up + 2, up - 2]) ** 2)
    pixel = FRAME.width / SIZE
    assert shown[(distance > radii[0] + pixel) & (distance < radii[1] - pixel)].all()
    assert not shown[(distance < radii[0] - 1.5 * pixel) | ((distance > radii[1] + pixel) & (distance < 40))].any()


def test_labels_have_their_colours_and_counts(tmp_path: Path, away: Path) -> None:
    balls = {3: ((-45.0, 10.0, 25.0), 9.0), 7: ((-20.0, 35.0, 50.0), 12.0)}
    path = ball_image(tmp_path / "balls.nii.gz", "PSR", balls)
    inspected = overlays.inspect(Overlay(ROI, "two", str(path)))
    assert inspected.labels == (3, 7)
    low, high = np.array(inspected.box)
    assert low == pytest.approx([-54, 1, 16], abs=1.5)
    assert high == pytest.approx([-8, 47, 62], abs=1.5)
    beside = roi(path, **{"3": (255, 0, 0), "7": (0, 0, 255)})
    assert beside.shown.labels == 2
    assert beside.shown.voxels == np.count_nonzero(nib.load(path).get_fdata())
    assert beside.shown.space == "sform, aligned"
    picture = rest(away, FRAME, views=("superior",), size=SIZE, overlays=[beside])
    red, blue = (picture[from_center("superior", balls[label][0]) < 5].mean(axis=0) for label in (3, 7))
    assert red[0] > 100 > 10 > red[2]
    assert blue[2] > 100 > 10 > blue[0]
    triangles = beside.shown.triangles
    assert triangles is not None
    assert 0.5 * inspected.triangles < triangles <= inspected.triangles, "memory is planned for them"


class Plate(DrawableOverlay):
    """A square that faces the eye from the left, at an x in mm."""

    def __init__(self, x: float, color: Color, opacity: float) -> None:
        super().__init__(ShownOverlay(kind=ROI, name="plate", path=""), opacity)
        corners = np.array([[x, y, z] for y in (-40, 0) for z in (0, 40)], np.float32)
        triangles = np.array([[0, 1, 2], [1, 3, 2]])
        object.__setattr__(self, "_mesh", OverlayMesh(corners, np.tile(np.array(color, np.uint8), (4, 1)), triangles))

    @property
    def points(self) -> np.ndarray:
        return self._mesh.points

    def meshes(self, view: View) -> Iterator[OverlayMesh]:
        if view.name == "left":
            yield self._mesh


@pytest.mark.parametrize("swapped", [False, True])
def test_overlays_hide_each_other_by_depth_whatever_their_order(away: Path, swapped: bool) -> None:
    near, far = Plate(-30, (255, 0, 0), 1.0), Plate(10, (0, 255, 0), 1.0)
    pictures = drawn(away, FRAME, views=("left", "right"), overlays=[far, near] if swapped else [near, far])
    red, green, _ = pictures["left"][100, 100]
    assert red > 150
    assert green < 5
    assert not pictures["right"][80:120, 80:120].any(), "a view shows what an overlay has for it"


def test_pictures_with_overlays_do_not_depend_on_passes_and_sizes_of_other_pictures(tmp_path: Path, away: Path) -> None:
    ball = roi(ball_image(tmp_path / "ball.nii.gz"))
    how = {"views": ("left", "axial", "superior"), "at": CENTER, "animation": ("gif",), "frames": 2, "frame_size": 64}
    at_once, one_by_one = (
        drawn(away, FRAME, overlays=[ball], passes=passes, **how) for passes in ((5,), (1, 1, 1, 1, 1))
    )
    assert at_once.keys() == one_by_one.keys()
    for view, picture in at_once.items():
        assert np.array_equal(picture, one_by_one[view])
        assert picture[..., 0].max() > 60, view


def test_a_large_region_is_made_coarser_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tractcap.inputs.overlay_rois.MOST_VOXELS", 20_000)
    beside = roi(ball_image(tmp_path / "ball.nii.gz"))
    assert beside.shown.notes == ("ball is shown on voxels 2 times as large",)
    assert isinstance(beside, Surfaces)
    distance = np.linalg.norm(beside.points - np.array(CENTER), axis=1)
    assert distance.mean() == pytest.approx(RADIUS, abs=0.4)
