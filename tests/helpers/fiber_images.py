"""Images of peaks and of orientation distribution functions with known answers."""

import gzip
import json
import math
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.special import sph_harm_y


def turned(order: str = "RAS", degrees: float = 0.0, voxel: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> np.ndarray:
    """The affine of a grid stored in some order, then turned about an oblique line; its origin lies at no voxel."""
    sides = np.zeros((3, 3))
    for column, letter in enumerate(order):
        row, positive = next((row, letter in "RAS") for row, pair in enumerate(("RL", "AP", "SI")) if letter in pair)
        sides[row, column] = voxel[column] * (1 if positive else -1)
    angle, (x, y, z) = math.radians(degrees), np.array([1, 2, 3]) / math.sqrt(14)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross) @ sides
    matrix[:3, 3] = -matrix[:3, :3] @ [4, 5, 6] + [0.3, -0.2, 0.1]
    return matrix


def save_nifti(path: Path, data: np.ndarray, affine: np.ndarray) -> Path:
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, 1)
    image.to_filename(path)
    return path


def save_mif(path: Path, data: np.ndarray, affine: np.ndarray, layout: str, datatype: str = "Float32LE") -> Path:
    """Write MRtrix's format: the layout's ranks say which axis is stored how closely, its signs from which end on."""
    axes = layout.split(",")
    ranks, backwards = [abs(int(axis)) for axis in axes], [axis.startswith("-") for axis in axes]
    stored = np.flip(data, [axis for axis, back in enumerate(backwards) if back])
    stored = stored.transpose(np.argsort(ranks)).ravel(order="F")
    kind = {"Float32LE": "<f4", "Float32BE": ">f4", "Float64LE": "<f8", "Int16LE": "<i2", "UInt8": "u1"}[datatype]
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    rows = np.column_stack([affine[:3, :3] / sizes, affine[:3, 3]])
    lines = [
        "mrtrix image",
        f"dim: {','.join(map(str, data.shape))}",
        f"vox: {','.join(map(repr, sizes.tolist()))},nan",
        f"layout: {layout}",
        f"datatype: {datatype}",
        *(f"transform: {','.join(map(repr, row.tolist()))}" for row in rows),
        "comments: made",
        "comments: for a test",
        "file: . 640",
        "END\n",
    ]
    content = "\n".join(lines).encode().ljust(640, b"\0") + stored.astype(kind).tobytes()
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


def mrtrix_coefficients(direction: np.ndarray, order: int = 8) -> np.ndarray:
    """Of one fibre, by the formula of MRtrix's documentation: those of a peak at one direction and at its opposite."""
    x, y, z = direction / np.linalg.norm(direction)
    theta, phi = math.acos(z), math.atan2(y, x)
    found = []
    for degree in range(0, order + 1, 2):
        for phase in range(-degree, degree + 1):
            value = sph_harm_y(degree, abs(phase), theta, phi)
            part = value.imag if phase < 0 else value.real
            found.append(part * (math.sqrt(2) if phase else 1))
    return np.array(found)


def bids_descoteaux_coefficients(direction: np.ndarray, order: int = 8) -> np.ndarray:
    """As :func:`mrtrix_coefficients`, by the formula of BIDS' extension proposal 16 for its basis ``descoteaux``."""
    x, y, z = direction / np.linalg.norm(direction)
    theta, phi = math.acos(z), math.atan2(y, x)
    found = []
    for degree in range(0, order + 1, 2):
        for phase in range(-degree, degree + 1):
            value = sph_harm_y(degree, abs(phase), theta, phi)
            part = value.imag if phase > 0 else value.real
            found.append(part * (math.sqrt(2) if phase else 1))
    return np.array(found)


def save_vortex(peaks: Path, odf: Path) -> None:
    """Fibres that run around the left hemisphere's middle and up: peaks behind it, ODFs before it."""
    affine, shape = turned("LAS", 10, (6.0, 6.0, 6.0)), (24, 30, 24)
    affine[:3, 3] = [-30, 0, 10] - affine[:3, :3] @ (np.array(shape) / 2)
    places = np.argwhere(np.ones(shape, bool)) @ affine[:3, :3].T + affine[:3, 3] - [-29, 1, 11]
    around = np.cross([1, 0, 0.3], places)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    behind = places[:, 1] < 0
    vectors = np.where(behind[:, None, None], np.stack([around, 0.5 * np.tile([0, 0, 1], (len(around), 1))], axis=1), 0)
    harmonics = np.array([mrtrix_coefficients(one, 6) for one in around]) * ~behind[:, None]
    for path, values, encoding in (
        (peaks, vectors.reshape(*shape, 6), {"Reference": "xyz", "Type": "3vector"}),
        (odf, harmonics.reshape(*shape, -1), {"Reference": "xyz", "Type": "sh", "SphericalHarmonicBasis": "mrtrix3"}),
    ):
        save_nifti(path, values.astype(np.float32), affine)
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps({"OrientationEncoding": encoding}))
