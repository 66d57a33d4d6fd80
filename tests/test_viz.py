"""The Python API: each example of the memory document that it takes up means what it says."""

import json
import logging
import math
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import phantoms
import pytest

from tractcap.errors import CapTooSmallError, SettingsError
from tractcap.limits import check_memory_available, get_n_jobs_with_memory_limit
from tractcap.limits.usage import private_memory
from tractcap.viz import TractographyVisualizer

MB = 2**20
NONE = ["all"]
"""Checks that are left out: all."""


@pytest.fixture
def subjects(tmp_path: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for who in ("sub-001", "sub-002"):
        path = phantoms.save(tmp_path / f"{who}_AF_L.trk", phantoms.asymmetric_bundle(10))
        found[who] = {"AF_L": str(path)}
    return found


def test_the_complete_example(subjects: dict[str, dict[str, str]], tmp_path: Path) -> None:
    """Pictures by subject and tract; a failure is a result too, and the caller's own limits stay as they were."""
    (tmp_path / "broken.trk").write_bytes(b"no tractogram")
    subjects["sub-002"]["broken"] = str(tmp_path / "broken.trk")
    subjects["sub-002"]["gone"] = str(tmp_path / "gone.trk")
    before = [resource.getrlimit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    visualizer = TractographyVisualizer(output_directory=tmp_path / "out", max_memory_mb=8192, n_jobs=-1)
    results = visualizer.run_quality_check_workflow(
        subjects_original_space=subjects, n_jobs=-1, size=100, skip_checks=NONE
    )
    assert [resource.getrlimit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)] == before
    assert {who: list(tracts) for who, tracts in results.items()} == {
        "sub-001": ["AF_L"],
        "sub-002": ["AF_L", "broken", "gone"],
    }
    drawn = results["sub-001"]["AF_L"]
    assert drawn
    assert [path.name for path in drawn.pictures][-1] == "AF_L_mosaic.png"
    assert all(path.is_file() for path in drawn.pictures)
    assert not results["sub-002"]["broken"]
    assert "broken.trk" in results["sub-002"]["broken"].failed
    assert "gone.trk" in results["sub-002"]["gone"].failed


def test_batches_and_a_reference(subjects: dict[str, dict[str, str]], tmp_path: Path) -> None:
    head = phantoms.save_head(tmp_path / "t1w.nii.gz")
    visualizer = TractographyVisualizer(tmp_path / "out", n_jobs=2)
    for who, tracts in subjects.items():
        assert all(
            visualizer.run_quality_check_workflow({who: tracts}, ref_img=head, size=64, skip_checks=NONE)[who].values()
        )
        told = json.loads((tmp_path / f"out/{who}/figures/AF_L.json").read_text())
        assert told["Made"]["Reference"]["path"] == str(head)
    with pytest.raises(SettingsError, match=r"nowhere\.nii doesn't exist"):
        visualizer.run_quality_check_workflow(subjects, ref_img=tmp_path / "nowhere.nii")


def test_a_hard_limit_is_hard(subjects: dict[str, dict[str, str]], tmp_path: Path) -> None:
    with pytest.raises(CapTooSmallError, match="max_memory_mb"):
        TractographyVisualizer(tmp_path / "out", max_memory_mb=100).run_quality_check_workflow(subjects)


def _own() -> float:
    """MB that this process holds, which is the supervisor here, and a large one."""
    return private_memory() / MB


def test_fewer_jobs_is_a_warning(
    subjects: dict[str, dict[str, str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    visualizer = TractographyVisualizer(tmp_path / "out", max_memory_mb=_own() + 380, n_jobs=2)
    assert all(tracts["AF_L"] for tracts in visualizer.run_quality_check_workflow(subjects, skip_checks=NONE).values())
    assert "memory allows 1 worker at once instead of 2" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [*({"max_memory_mb": size} for size in (0, -5, math.inf, math.nan)), {"n_jobs": 0}, {"n_jobs": -2}],
)
def test_numbers_that_make_no_sense(tmp_path: Path, wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        TractographyVisualizer(tmp_path, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["../up", "", ".hidden"])
def test_names_that_would_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="name"):
        TractographyVisualizer(tmp_path).run_quality_check_workflow({"sub-1": {name: "a.trk"}})


def limited(kind: int, size: int, code: str) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(kind, (size, size))

    return subprocess.run([sys.executable, "-c", code], preexec_fn=limit, capture_output=True, text=True, check=False)


def test_ulimit_of_8_gb(subjects: dict[str, dict[str, str]], tmp_path: Path) -> None:
    """``ulimit -v 8388608``, combined with the Python limit."""
    code = f"""from tractcap.viz import TractographyVisualizer
v = TractographyVisualizer({str(tmp_path / "out")!r}, max_memory_mb=8192)
found = v.run_quality_check_workflow({subjects!r}, size=64, skip_checks='all')
print(all(r for t in found.values() for r in t.values()))"""
    done = limited(resource.RLIMIT_AS, 8388608 * 1024, code)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize(("kind", "name"), [(resource.RLIMIT_AS, "ulimit -v"), (resource.RLIMIT_DATA, "ulimit -d")])
def test_a_ulimit_that_is_too_tight_is_named(
    subjects: dict[str, dict[str, str]], tmp_path: Path, kind: int, name: str
) -> None:
    code = f"""from tractcap.viz import TractographyVisualizer
TractographyVisualizer({str(tmp_path / "out")!r}).run_quality_check_workflow({subjects!r})"""
    done = limited(kind, 250 * MB, code)
    assert f"CapTooSmallError: {subjects['sub-001']['AF_L']} can't be drawn in 250 MB (bound by {name})" in done.stderr


def test_the_caller_is_limited_when_it_asks() -> None:
    code = """import resource, tempfile; from tractcap.viz import TractographyVisualizer
TractographyVisualizer(tempfile.mkdtemp(), max_memory_mb=512, limit_caller=True)
print(resource.getrlimit(resource.RLIMIT_DATA)[1] // 2**20)"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "512\n"


def test_available_memory_and_jobs_that_fit(caplog: pytest.LogCaptureFixture) -> None:
    assert check_memory_available(required_mb=10, safety_margin=0.2)
    assert not check_memory_available(required_mb=2**30, safety_margin=0.2)
    assert get_n_jobs_with_memory_limit(2, estimated_memory_per_job_mb=1.0, safety_margin=0.3) == 2
    assert not caplog.records
    assert get_n_jobs_with_memory_limit(8, estimated_memory_per_job_mb=2.0**30) == 1
    assert "memory allows 1 of 8 jobs" in caplog.text
    with pytest.raises(ValueError, match="base_n_jobs"):
        get_n_jobs_with_memory_limit(0)


def test_memory_is_logged_at_debug(
    subjects: dict[str, dict[str, str]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tractcap.work.pool._LOG_SECONDS", 0.0)
    caplog.set_level(logging.DEBUG, "tractcap")
    caplog.set_level(logging.DEBUG, "tractcap.memory")  # a command line in this process may have said otherwise
    TractographyVisualizer(tmp_path / "out").run_quality_check_workflow(subjects, size=64, skip_checks=NONE)
    assert "memory: workers" in caplog.text


def test_the_workflow_checks_what_its_users_give_it(tmp_path: Path) -> None:
    """Each with its own: another space for the atlas, a map and a reference for one subject; a page as it goes."""
    left, right = phantoms.asymmetric_bundle(25), [one * [-1, 1, 1] for one in phantoms.asymmetric_bundle(25)]
    paths = {name: phantoms.save(tmp_path / f"{name}.trk", one) for name, one in (("AF_L", left), ("AF_R", right))}
    moved = phantoms.save(tmp_path / "moved.trk", [one + np.float32(3) for one in left])
    head = phantoms.save_head(tmp_path / "t1w.nii.gz")
    results = TractographyVisualizer(tmp_path / "out").run_quality_check_workflow(
        {"sub-1": paths, "2": {"AF_L": paths["AF_L"]}},
        {"sub-1": head},
        subjects_mni_space={"sub-1": {"AF_L": moved}},
        atlas_files={"AF_L": moved, "AF_R": moved},
        metric_files={"sub-1": {"FA": head}},
        before_files={"2": {"AF_L": moved}},
        skip_checks=["bundle_assignment", "before_after_cci"],
        html_output=tmp_path / "pages/{subject}.html",
        size=64,
    )
    status = {
        (who, tract): {name: told["Status"] for name, told in one.checks.items()}
        for who, tracts in results.items()
        for tract, one in tracts.items()
    }
    done = dict.fromkeys(("shape", "cci", "profile", "atlas", "sides"), "done")
    assert status["sub-1", "AF_L"] == done | {"segments": "skipped", "before": "missing"}
    assert status["sub-1", "AF_R"]["atlas"] == "missing"  # there is an atlas, but no such tract in its space
    assert "subjects_mni_space" in results["sub-1"]["AF_R"].checks["atlas"]["Why"]
    assert status["2", "AF_L"] == {
        **done, "segments": "skipped", "profile": "missing", "atlas": "missing", "sides": "missing", "before": "done"
    }  # fmt: skip
    assert results["sub-1"]["AF_L"].checks["atlas"]["Measures"]["Dice"] == 1
    assert results["sub-1"]["AF_L"].checks["shape"]["Measures"]["OutsideReference"] is not None
    assert results["2"]["AF_L"].checks["shape"]["Measures"]["OutsideReference"] is None
    for who, page in (("sub-1", "sub-1.html"), ("2", "sub-2.html")):
        leading = (tmp_path / f"pages/{who}.html").read_text()
        assert f"url=../out/{page}" in leading
        assert (tmp_path / "out" / page).is_file()


def test_a_check_that_isn_t_known(subjects: dict[str, dict[str, str]], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"skip_checks names 'nose': choose from .*afq_profile"):
        TractographyVisualizer(tmp_path / "out").run_quality_check_workflow(subjects, skip_checks=["nose"])
