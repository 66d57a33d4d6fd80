"""The self-test's picture of cells sees a renderer that mistakes one for another."""

from typing import Any

import pytest
from vtkmodules.vtkRenderingCore import vtkActor

from tractcap.drawing import cell_colors, opengl


def test_cells_have_their_own_colours() -> None:
    opengl.choose()
    assert cell_colors.wrong_cells() == []


@pytest.mark.parametrize(("fault", "wrong"), [("0", 5), ("(gl_PrimitiveID + 2)", 6), ("min(gl_PrimitiveID, 9)", 1)])
def test_a_wrong_number_of_the_cell_is_seen(fault: str, wrong: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Mesa's issue 15660, where a shader finds something else in ``gl_PrimitiveID``; cells are two triangles."""

    def faulty() -> Any:
        actor = vtkActor()
        actor.GetShaderProperty().AddFragmentShaderReplacement("gl_PrimitiveID", False, fault, True)
        return actor

    opengl.choose()
    monkeypatch.setattr(cell_colors, "vtkActor", faulty)
    assert len(cell_colors.wrong_cells()) == wrong
