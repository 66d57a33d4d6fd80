"""VTK polylines, ``.vtk`` and ``.fib`` (legacy) and ``.vtp`` (XML). VTK can only load such a file whole, so the memory
that this takes is estimated. Whether a file is legacy or XML is decided by how it begins, not by its name.

The files don't agree on a space. One may say ``SPACE=LPS`` or ``SPACE=RAS`` in its title, or in an array ``SPACE`` of
its field data (3D Slicer writes both); one that doesn't is taken as RAS+ (MRtrix, whitematteranalysis) unless the user
says otherwise (dipy writes LPS+).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tractcap.errors import InputError
from tractcap.inputs.affines import to_rasmm
from tractcap.inputs.reading import DEFLATE_RATIO
from tractcap.inputs.tractograms.base import BLOCK_BYTES, Header, Tractogram
from tractcap.inputs.tractograms.chunks import Block, parts
from tractcap.inputs.tractograms.vtk_header import read_header

SPACES = {"RAS": np.eye(4), "LPS": np.diag([-1.0, -1, 1, 1])}
_BYTES_PER_POINT = {False: 36, True: 48}
"""Memory while VTK reads and afterwards: a point in single or double precision, its number, VTK's buffers.
Measured over legacy files of versions 4.2 and 5.1 and XML files, as text, binary, appended and compressed."""

_BYTES_IN_FILE = 20
"""A point and its number in a binary legacy file; whatever is more in the file is other data, which is loaded too."""


class VtkTractogram(Tractogram):
    """A ``.vtk``, ``.vtp`` or ``.fib`` file."""

    format = "VTK polylines (.vtk, .vtp, .fib)"

    def __init__(self, path: Path, vtk_space: str = "") -> None:
        self._default_space = vtk_space
        super().__init__(path)

    @property
    def _unreadable(self) -> InputError:
        return self.damaged("VTK can't read it as polylines; it may be cut off")

    def _read_header(self) -> Header:
        with self.path.open("rb") as file, errors_of_vtk(self._unreadable):
            found = read_header(mmap(file.fileno(), 0, access=ACCESS_READ))
        if found is None:
            raise self.damaged("it begins like neither a legacy nor an XML file of VTK")
        self._found = found
        if found.beyond > 0:
            raise self.damaged(f"it would have to be {found.beyond:,} bytes longer; it is cut off")
        size = self.path.stat().st_size
        # a coordinate takes at least two bytes as text; XML may be compressed
        most = size * (DEFLATE_RATIO if found.xml else 1) // 6
        points, lines = (most if number is None else number for number in (found.points, found.lines))
        if max(points, lines) > most:
            raise self.damaged(f"its header promises {max(points, lines):,} points or lines, more than it can hold")
        if found.points and found.lines == 0:
            raise self.damaged(f"it holds {points:,} points and no lines between them; it may be cut off")
        known = {space.upper() for space in found.spaces} & set(SPACES)
        if len(known) > 1:
            raise InputError(f"{self.path} says that its space is {' and '.join(sorted(known))}: it can only be one.")
        if found.spaces and not known and not self._default_space:
            raise InputError(
                f"{self.path} says that its space is {', '.join(sorted(found.spaces))}, which isn't known here: say by "
                "--vtk-space which of RAS and LPS that is."
            )
        self._affine = SPACES[next(iter(known), self._default_space or "RAS")]
        notes = () if known or self._default_space else ("the file doesn't say its space: RAS+ mm is taken",)
        largest = max([*found.per_point.values(), *found.per_line.values()], default=0)
        more = largest if found.xml else max(0, size - points * _BYTES_IN_FILE)
        return Header(
            lines,
            found.lines is not None,
            points,
            points * _BYTES_PER_POINT[found.double] + more,
            tuple(found.per_point),
            tuple(found.per_line),
            notes,
        )

    def _read_blocks(self, data: str) -> Iterator[Block]:
        if not self._found.xml and self._found.points == self._found.lines == 0:
            return  # VTK's reader wants at least one section more
        points, lengths, order, values = self._load(data)
        if self.header.exact and len(lengths) != self.header.streamlines:
            raise self.damaged(f"its header promises {self.header.streamlines:,} lines, but it holds {len(lengths):,}")
        start, begun = 0, 0
        for part in parts([lengths], BLOCK_BYTES // 12):
            rows = order[start : start + part.points]
            block = Block(to_rasmm(points[rows], self._affine), part.lengths, part.continues, part.open)
            first = begun - part.continues
            start, begun = start + part.points, first + len(part.lengths)
            if data in self.header.per_point:
                block.per_point = {data: values[rows]}
            elif data:
                block.per_streamline = {data: values[first:begun]}
            yield block

    def _load(
        self, name: str
    ) -> tuple[NDArray[np.floating], NDArray[np.int64], NDArray[np.int64], NDArray[np.generic]]:
        """Points (N, 3), the lengths of the lines, the points' numbers line after line, and the data of a name."""
        data = self._read(name)
        lines, values = data.GetLines(), np.empty(0)
        if data.GetPoints() is None or not lines.GetNumberOfCells():
            return np.empty((0, 3)), np.empty(0, np.int64), np.empty(0, np.int64), values
        points = np.asarray(data.GetPoints().GetData())
        offsets = np.asarray(lines.GetOffsetsArray()).astype(np.int64, copy=False)
        order = np.asarray(lines.GetConnectivityArray()).astype(np.int64, copy=False)
        lengths = np.diff(offsets)
        if offsets[0] or (lengths < 0).any() or offsets[-1] != len(order):
            raise self.damaged("its lines don't begin where the lines before them end")
        if len(order) and (order.min() < 0 or order.max() >= len(points)):
            raise self.damaged("its lines name points that it doesn't have")
        if name:
            of_points = name in self.header.per_point
            array = (data.GetPointData() if of_points else data.GetCellData()).GetArray(name)
            first = 0 if of_points else data.GetNumberOfVerts()  # vertices precede lines among the cells
            count = len(points) if of_points else len(lengths)
            if array is None or array.GetNumberOfTuples() < first + count:
                raise self.damaged(f"its data {name!r} are incomplete")
            values = np.asarray(array)[first : first + count]
        return points, lengths, order, values

    def _read(self, name: str) -> Any:
        from vtkmodules.vtkIOLegacy import vtkPolyDataReader
        from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

        reader: Any = (vtkXMLPolyDataReader if self._found.xml else vtkPolyDataReader)()
        reader.SetFileName(str(self.path))
        with errors_of_vtk(self._unreadable):
            if self._found.xml:  # the lines and the data of that name: no others are loaded
                reader.UpdateInformation()
                for arrays in (reader.GetPointDataArraySelection(), reader.GetCellDataArraySelection()):
                    arrays.DisableAllArrays()
                    if name:
                        arrays.EnableArray(name)
            elif name:
                for kind in ("Scalars", "Vectors", "Normals", "Tensors", "TCoords", "ColorScalars", "Fields"):
                    getattr(reader, f"ReadAll{kind}On")()
            reader.Update()
        if reader.GetErrorCode() or reader.GetOutput() is None:
            raise self._unreadable
        return reader.GetOutput()


@contextmanager
def errors_of_vtk(damaged: InputError) -> Iterator[None]:
    """Raise what VTK only prints, even where FURY has silenced it: a file that is cut off is no error to VTK."""
    from vtkmodules.vtkCommonCore import vtkObject, vtkOutputWindow, vtkStringOutputWindow

    messages, window = vtkStringOutputWindow(), vtkOutputWindow.GetInstance()
    shows_warnings = vtkObject.GetGlobalWarningDisplay()
    vtkOutputWindow.SetInstance(messages)
    vtkObject.SetGlobalWarningDisplay(1)
    try:
        yield
    finally:
        vtkOutputWindow.SetInstance(window)
        vtkObject.SetGlobalWarningDisplay(shows_warnings)
    if messages.GetOutput().strip():
        raise damaged
