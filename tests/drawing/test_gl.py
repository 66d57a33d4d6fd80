"""Without an OpenGL that VTK can load there is a sentence, not a segfault."""

import pytest

from tractcap.drawing import gl
from tractcap.errors import DrawingError


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gl, "_OSMESA", "libNoSuchMesa.so.8")
    with pytest.raises(DrawingError, match=r"libNoSuchMesa.*install Debian's package libosmesa6"):
        gl.choose()
