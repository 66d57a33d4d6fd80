"""Tractograms of any size, written in constant memory."""

import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import phantoms

MB = 2**20


def write_trk(path: Path, size: int, seed: int = 0) -> Path:
    """Write a .trk of about ``size`` bytes: an asymmetric bundle again and again, each time moved a little."""
    bundle = phantoms.asymmetric_bundle(500, 130)
    phantoms.save(path, bundle)
    data = path.read_bytes()
    record = np.frombuffer(data[1000:], "<f4").reshape(len(bundle), -1)
    rounds = max(1, size // len(data))
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(data[: nib.streamlines.TrkFile.HEADER_SIZE])
        for _ in range(rounds):
            moved = record.copy()
            moved[:, 1:].reshape(len(bundle), -1, 3)[:] += random.normal(0, 6, (len(bundle), 1, 3)).astype("<f4")
            file.write(moved.tobytes())
        file.seek(988)
        file.write(struct.pack("<i", rounds * len(bundle)))
    return path
