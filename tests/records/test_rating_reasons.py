"""Lists of reasons: read, or refused with a sentence."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tractcap.cli import tractcap
from tractcap.errors import RecordError
from tractcap.records import rating_reasons
from tractcap.records.rating_reasons import RESERVED, Reason, in_use, load

HEADER = "reason\tkey\tdescription"


def write(folder: Path, *lines: str) -> Path:
    path = folder / "rating_reasons.tsv"
    path.write_text("\r\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_the_own_list_has_a_key_for_each_reason() -> None:
    reasons, problem = in_use(Path("nowhere"))
    assert not problem
    assert [reason.key for reason in reasons] == list("ixwm-+bdo")
    assert not {reason.key for reason in reasons} & set(RESERVED)


def test_a_lab_s_list_is_read_with_its_columns_in_any_order(tmp_path: Path) -> None:
    write(tmp_path, "key\tdescription\tmore\treason", "h\tit has a hole\tx\thole", "", 'é\t"thin, ""hair"""\t\tthin')
    assert in_use(tmp_path) == ((Reason("hole", "h", "it has a hole"), Reason("thin", "é", 'thin, "hair"')), "")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "its first line doesn't name reason and key and description"),
        (("reason\tkey", "hole\th"), "doesn't name description"),
        ((HEADER,), "it has 0 reasons"),
        ((HEADER, "hole\tp\ta hole"), "its line 2 has the key “p”, which the page uses"),
        ((HEADER, "", "hole\tp\ta hole"), "its line 3 has the key “p”"),
        ((HEADER, "hole\thh\ta hole"), "has the key “hh”: give one character"),
        ((HEADER, "hole\t\ta hole"), "has the key “”: give one character"),
        ((HEADER, "a hole\th\ta hole"), "has the name “a hole”"),
        ((HEADER, "a,hole\th\ta hole"), "has the name “a,hole”"),
        ((HEADER, "hole\th\t"), "its line 2 has no description"),
        ((HEADER, "hole\th\ta", "hole\tt\tb"), "several of its reasons have the name “hole”"),
        ((HEADER, "hole\th\ta", "thin\th\tb"), "several of its reasons have the key “h”"),
        ((HEADER, *(f"r{at}\t{chr(0x100 + at)}\ta" for at in range(31))), "it has 31 reasons"),
    ],
)
def test_what_is_no_list_is_refused_and_the_own_one_is_used(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(RecordError, match="rating_reasons") as error:
        load(write(tmp_path, *lines))
    assert said in error.value.why
    reasons, problem = in_use(tmp_path)
    assert len(reasons) == 9
    assert said in problem


@pytest.mark.parametrize("level", ["participant", "group"])
def test_the_command_line_keeps_a_list_or_names_what_is_wrong(tmp_path: Path, level: str) -> None:
    (tmp_path / "in").mkdir()
    path, out = write(tmp_path, HEADER, "hole\th\ta hole"), tmp_path / "out"
    arguments = [str(tmp_path / "in"), str(out), level, "--reasons"]
    CliRunner().invoke(tractcap, [*arguments, str(path)])  # there is nothing to draw
    assert load(out / rating_reasons.NAME) == (Reason("hole", "h", "a hole"),)
    write(tmp_path, HEADER, "hole\tp\ta hole")
    for wrong, said in ((path, "which the page uses"), (tmp_path / "gone", "which isn't there")):
        result = CliRunner().invoke(tractcap, [*arguments, str(wrong)])
        assert result.exit_code == 2
        assert said in " ".join(result.output.split())
    assert load(out / rating_reasons.NAME)[0].key == "h"
