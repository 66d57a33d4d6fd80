"""What the image leaves out can't be reached from tractcap's sources."""

import reach


def test_no_import_leads_to_what_the_image_leaves_out() -> None:
    reached, stopped = reach.reach()
    assert len(reached) > 700
    assert stopped == set(reach.NEVER_IMPORTED)


def test_the_names_of_what_is_left_out() -> None:
    left_out = (
        "scipy.stats",
        "numpy.random.tests",
        "trx",
        "h5py",
        "vtkmodules.wx",
        "vtkmodules.all",
        "PIL._avif",
        "fury.ui",
    )
    assert all(map(reach.is_left_out, left_out))
    assert not any(map(reach.is_left_out, ("scipy.special", "scipy", "numpy.testing", "jinja2.tests", "dipy.data")))
