"""VTK polylines, ``.vtk`` (legacy) and ``.vtp`` (XML). VTK can only load such a file whole: its need is estimated.

The files don't agree on a space. A legacy file may say ``SPACE=LPS`` or ``SPACE=RAS`` in its title (3D Slicer writes
that); one that doesn't is taken as RAS+ (MRtrix, whitematteranalysis) unless told otherwise (dipy writes LPS+).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.inputs.tractograms.base import BLOCK_BYTES, DEFLATE_RATIO, Header, Tractogram
from tractcap.inputs.tractograms.chunks import Block
from tractcap.inputs.tractograms.space import to_rasmm
from tractcap.inputs.tractograms.trx import cut

_LPS = np.diag([-1.0, -1, 1, 1])
_LOOK_BYTES = 2**16
_BYTES_PER_POINT = {False: 36, True: 48}
"""In memory, while VTK reads and afterwards: a point in single or double precision, its number, VTK's buffers.
Measured over legacy files of versions 4.2 and 5.1 and XML files, as text, binary, appended and compressed."""

_BYTES_IN_FILE = 20
"""Of a point in a binary legacy file, with its number; what a file is larger is other data, which is loaded too."""


class VtkTractogram(Tractogram):
    """See the module."""

    format = "VTK polylines (.vtk, .vtp)"

    def __init__(self, path: Path, vtk_space: str = "") -> None:
        self._told = vtk_space
        super().__init__(path)

    def _look(self) -> Header:
        with self.path.open("rb") as file:
            text = file.read(_LOOK_BYTES)
        self._xml = b"<VTKFile" in text
        if not self._xml and not text.startswith(b"# vtk DataFile"):
            raise self.damaged("it begins like neither a legacy nor an XML file of VTK")
        size = self.path.stat().st_size
        points, lines = self._counts(text, size)
        space = re.search(rb"SPACE=(RAS|LPS)", text.split(b"\n", 2)[1]) if not self._xml and b"\n" in text else None
        self._space = space[1].decode() if space else self._told or "RAS"
        notes = () if space or self._told else ("doesn't say its space: taken as RAS+ mm",)
        double = bool(re.search(rb'Float64"[^>]*Name="Points"|\nPOINTS \d+ double', text))
        loaded = points * _BYTES_PER_POINT[double] + (0 if self._xml else max(0, size - points * _BYTES_IN_FILE))
        return Header(lines, False, points, loaded, notes=notes)

    def _counts(self, text: bytes, size: int) -> tuple[int, int]:
        """Points and lines that the header promises, never more than the file can hold."""
        patterns = (
            (rb'NumberOfPoints="(\d+)"', rb'NumberOfLines="(\d+)"')
            if self._xml
            else (rb"\nPOINTS (\d+)", rb"\nLINES (\d+)")
        )
        # a coordinate takes at least two bytes as text; XML may be compressed
        most = size * (DEFLATE_RATIO if self._xml else 1) // 6
        points, lines = (min(most, int(m[1])) if (m := re.search(p, text)) else most for p in patterns)
        return points, lines

    def _blocks(self, data: str) -> Iterator[Block]:
        del data  # the header offers none
        points, lengths, order = self._load()
        affine = _LPS if self._space == "LPS" else np.eye(4)
        start = 0
        for part in cut(iter([lengths]), BLOCK_BYTES // 12):
            rows = order[start : start + part.points]
            start += part.points
            yield Block(to_rasmm(points[rows], affine), part.lengths, part.continues, part.open)

    def _load(self) -> tuple[NDArray[np.floating], NDArray[np.int64], NDArray[np.int64]]:
        """Points (N, 3), the lengths of the lines, and the points' numbers line after line."""
        data = self._read()
        lines = data.GetLines()
        if data.GetPoints() is None or not lines.GetNumberOfCells():
            return np.empty((0, 3)), np.empty(0, np.int64), np.empty(0, np.int64)
        points = np.asarray(data.GetPoints().GetData())
        offsets = np.asarray(lines.GetOffsetsArray()).astype(np.int64, copy=False)
        order = np.asarray(lines.GetConnectivityArray()).astype(np.int64, copy=False)
        if len(order) and (order.min() < 0 or order.max() >= len(points)):
            raise self.damaged("its lines name points that it doesn't have")
        return points, np.diff(offsets), order

    def _read(self) -> Any:
        from vtkmodules.vtkCommonCore import vtkOutputWindow, vtkStringOutputWindow
        from vtkmodules.vtkIOLegacy import vtkPolyDataReader
        from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

        reader = (vtkXMLPolyDataReader if self._xml else vtkPolyDataReader)()
        said, before = vtkStringOutputWindow(), vtkOutputWindow.GetInstance()
        vtkOutputWindow.SetInstance(said)  # a file that is cut off is no error to VTK: it only says so
        try:
            reader.SetFileName(str(self.path))
            if self._xml:  # the lines alone: no other data is loaded
                reader.UpdateInformation()
                reader.GetPointDataArraySelection().DisableAllArrays()
                reader.GetCellDataArraySelection().DisableAllArrays()
            reader.Update()
        finally:
            vtkOutputWindow.SetInstance(before)
        if said.GetOutput().strip() or reader.GetErrorCode() or reader.GetOutput() is None:
            raise self.damaged("VTK can't read it as polylines; it may be cut off")
        return reader.GetOutput()
