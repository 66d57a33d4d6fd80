"""What an option says of directions."""

import pytest

from tractcap.errors import SettingsError
from tractcap.inputs.fiber_conventions import FiberConvention, parse_convention


@pytest.mark.parametrize(
    ("words", "frame", "basis"),
    [
        ((), "", ""),
        (("voxel",), "voxel", ""),
        (("bvec",), "bvec", ""),
        (("mrtrix",), "world", "tournier07"),
        (("descoteaux07",), "voxel", "descoteaux07"),
        (("tournier07_legacy",), "voxel", "tournier07_legacy"),
        (("descoteaux07_legacy", "world"), "world", "descoteaux07_legacy"),
        (("voxel", "mrtrix"), "voxel", "tournier07"),
    ],
)
def test_words_name_axes_and_a_basis_whose_program_has_axes_too(words: tuple[str, ...], frame: str, basis: str) -> None:
    assert parse_convention(words, "--odf") == FiberConvention(frame, basis)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("descoteaux",),
            "--odf: 'descoteaux' isn't known; after the image may stand axes of world, voxel, bvec and a basis of m",
        ),
        (("world", "voxel"), "--odf: it can't be both world and voxel; after"),
        (("mrtrix", "tournier07"), "--odf: it can't be both mrtrix and tournier07; after"),
    ],
)
def test_other_words_are_refused(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        parse_convention(words, "--odf")
