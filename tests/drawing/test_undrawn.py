"""A picture that OpenGL never wrote is no picture."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import phantoms
import pytest

DRAW = """
import sys
from pathlib import Path
from scenes import drawn
from tractcap.drawing.views import Frame
head = Path(sys.argv[3]) if len(sys.argv) > 3 else None
try:
    drawn(Path(sys.argv[1]), Frame((-90, -120, -70), (90, 80, 110)), views=(sys.argv[2],), reference=head, at=(0, 0, 0))
except Exception as error:
    print(type(error).__name__, error)
else:
    print("drawn")
"""


@pytest.mark.parametrize("view", ["left", "axial"])
@pytest.mark.parametrize("with_glass", [False, True])
@pytest.mark.parametrize("variable", ["", "GALLIUM_NOOP", "LP_NO_RAST"])
def test_what_was_not_drawn_is_refused(tmp_path: Path, variable: str, view: str, *, with_glass: bool) -> None:
    """Where Mesa does nothing, memory is never written: its zeros would be as near as can be, and black."""
    path = phantoms.save(tmp_path / "a.trk", phantoms.asymmetric_bundle())
    head = [phantoms.save_head(tmp_path / "head.nii")] if with_glass else []
    env = {**os.environ, "PYTHONPATH": str(Path(phantoms.__file__).parent), **({variable: "1"} if variable else {})}
    call = [sys.executable, "-c", DRAW, path, view, *head]
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=env)
    if variable == "GALLIUM_NOOP" and done.returncode == -signal.SIGSEGV:
        return  # as Mesa 25 does: no picture either
    assert done.returncode == 0, done.stderr
    # where there is EGL alone, it isn't taken, since it doesn't draw
    refused = ("DrawingError OpenGL drew nothing", "DrawingError libOSMesa")
    assert done.stdout.startswith(refused if variable else "drawn")
