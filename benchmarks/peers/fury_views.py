"""Draw a tractogram by FURY, from the left, from the front and from above.

python fury_views.py line|streamtube TRACTOGRAM FOLDER
"""

import sys
from pathlib import Path

import nibabel as nib
from fury import actor, window

VIEWS = {"left": ((-1, 0, 0), (0, 0, 1)), "anterior": ((0, 1, 0), (0, 0, 1)), "superior": ((0, 0, 1), (0, 1, 0))}
TUBE = 0.3
"""Width of a tube in mm."""


def main() -> None:
    """Draw every view into a picture of its own; actor and scene are made once."""
    kind, tractogram, folder = sys.argv[1:]
    streamlines = nib.streamlines.load(tractogram).streamlines
    width = {"linewidth": TUBE} if kind == "streamtube" else {}
    drawn = getattr(actor, kind)(streamlines, lod=False, **width)
    scene = window.Scene()
    scene.add(drawn)
    for name, (position, up) in VIEWS.items():
        scene.set_camera(position=position, focal_point=(0, 0, 0), view_up=up)
        scene.reset_camera()
        window.record(scene=scene, out_path=str(Path(folder) / f"{name}.png"), size=(800, 800), reset_camera=False)


if __name__ == "__main__":
    main()
