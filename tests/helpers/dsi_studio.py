"""Files of DSI Studio's streamlines: matrices of MATLAB's version 4."""

import gzip
import io
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

AFFINE = np.array([[-2.0, 0, 0, 90], [0, -2, 0, 90], [0, 0, 2, -72], [0, 0, 0, 1]])
"""A grid as DSI Studio has it: its first voxel is on the right, behind and below."""

SHAPE = (91, 109, 91)

Matrices = dict[str, np.ndarray]


def packed(streamlines: Sequence[np.ndarray], affine: np.ndarray = AFFINE) -> bytes:
    """Streamlines in RAS+ mm as bytes, each rounded to steps of 1/32 voxel; no step may be longer than 127 of them."""
    parts = []
    for one in streamlines:
        steps = np.rint((np.asarray(one, float) - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T * 32).astype(int)
        differences = np.diff(steps, axis=0)
        assert not len(one) or np.abs(differences).max(initial=0) <= 127
        parts += [np.array(3 * len(one), "<u4").tobytes(), steps[:1].astype("<i4").tobytes() or bytes(9)]
        parts.append(differences.astype("i1").tobytes())
    return b"".join(parts)


def matrices(streamlines: Sequence[np.ndarray], affine: np.ndarray = AFFINE, tracks: int = 1) -> Matrices:
    """The matrices of a file, in DSI Studio's order; the streamlines may be spread over several."""
    found: Matrices = {
        "dimension": np.array([SHAPE], "i4"),
        "voxel_size": np.linalg.norm(affine[:3, :3], axis=0)[None].astype("f4"),
        "trans_to_mni": affine.reshape(1, 16).astype("f4"),
        "report": np.frombuffer(b"made\0", "u1")[None],
    }
    for number, bounds in enumerate(np.array_split(np.arange(len(streamlines)), tracks)):
        part = packed([streamlines[at] for at in bounds], affine)
        if part:
            found[f"track{number or ''}"] = np.frombuffer(part, "u1")[:, None]
    return found


def save(path: Path, found: Matrices) -> Path:
    """Write matrices, compressed if the name ends in ``.gz``."""
    plain = b"".join(_matrix(name, values) for name, values in found.items())
    path.write_bytes(gzip.compress(plain, 1) if path.suffix == ".gz" else plain)
    return path


def _matrix(name: str, values: np.ndarray) -> bytes:
    """A matrix in the order of its columns, behind its type, size and name."""
    rows, columns = np.atleast_2d(values).shape
    head = struct.pack("<5I", _TYPES[values.dtype.newbyteorder("<").str], rows, columns, 0, len(name) + 1)
    return head + name.encode("latin1") + b"\0" + values.tobytes(order="F")


_TYPES = {"<f8": 0, "<f4": 10, "<i4": 20, "<i2": 30, "<u2": 40, "|u1": 50}


def load(path: Path) -> list[np.ndarray]:
    """Read streamlines in RAS+ mm by scipy, one coordinate after the other."""
    import scipy.io

    found = scipy.io.loadmat(
        io.BytesIO(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    )
    affine = found["trans_to_mni"].reshape(4, 4)
    streamlines = []
    for name in sorted(name for name in found if name.startswith("track")):
        data, at = found[name].astype("u1").tobytes(), 0
        while at < len(data):
            count = int.from_bytes(data[at : at + 4], "little")
            points = [[int.from_bytes(data[at + k : at + k + 4], "little", signed=True) for k in (4, 8, 12)]]
            for step in range(at + 16, at + count + 13, 3):
                change = [byte - 256 if byte > 127 else byte for byte in data[step : step + 3]]
                points.append([value + more for value, more in zip(points[-1], change, strict=True)])
            streamlines.append(np.array(points) / 32 @ affine[:3, :3].T + affine[:3, 3])
            at += count + 13
    return streamlines
