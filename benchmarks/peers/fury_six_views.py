"""Draw each tractogram of a folder by FURY's lines, in six views: python fury_six_views.py FOLDER OUT."""

import sys
from pathlib import Path

import nibabel as nib
from fury import actor, window

VIEWS = {
    "left": ((-1, 0, 0), (0, 0, 1)),
    "anterior": ((0, 1, 0), (0, 0, 1)),
    "superior": ((0, 0, 1), (0, 1, 0)),
    "right": ((1, 0, 0), (0, 0, 1)),
    "posterior": ((0, -1, 0), (0, 0, 1)),
    "inferior": ((0, 0, -1), (0, 1, 0)),
}


def main() -> None:
    """Draw every view into a picture of its own; actor and scene are made once for each file."""
    folder, out = map(Path, sys.argv[1:])
    for tractogram in sorted(folder.glob("*.trk")):
        scene = window.Scene()
        scene.add(actor.line(nib.streamlines.load(tractogram).streamlines, lod=False))
        for name, (position, up) in VIEWS.items():
            scene.set_camera(position=position, focal_point=(0, 0, 0), view_up=up)
            scene.reset_camera()
            path = out / f"{tractogram.stem}-{name}.png"
            window.record(scene=scene, out_path=str(path), size=(800, 800), reset_camera=False)


if __name__ == "__main__":
    main()
