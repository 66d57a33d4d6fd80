"""Makes files behave as on a network. Python runs this at its start where this folder is on PYTHONPATH.

``FILE_SYSTEM`` is how, with commas between: ``ENOLCK`` has no locks; ``bare`` knows neither modes nor syncing;
``ESTALE`` has lost sight of each file once; ``lost`` renames, but says that there was no such file, as when an answer
was lost; ``EXDEV`` has each folder on a server of its own; ``seconds`` knows times by two seconds; ``mixed:FILE`` lets
another run write into a picture just before a record is in place, once, which makes that file.
"""

import errno
import fcntl
import os
from pathlib import Path

kinds, _, once = os.environ.get("FILE_SYSTEM", "").partition(":")
kinds = kinds.split(",")
replace, stat, fstat = os.replace, os.stat, os.fstat
seen = set()


def failing(code):
    def fail(*arguments, **more):
        raise OSError(code, os.strerror(code))

    return fail


def stale_once(source, target, **more):
    if os.fspath(source) not in seen:
        seen.add(os.fspath(source))
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), os.fspath(source))
    replace(source, target, **more)


def answer_lost(source, target, **more):
    replace(source, target, **more)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(source))


def across(source, target, **more):
    if Path(source).parent != Path(target).parent:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), os.fspath(source))
    replace(source, target, **more)


def mixed(source, target, **more):
    record = Path(target)
    if record.name == "b1.json" and not Path(once).exists():
        Path(once).touch()
        with record.with_name("b1_view-left.png").open("ab") as picture:
            picture.write(b"of another run")
    replace(source, target, **more)


def coarse(look):
    def looked(*arguments, **more):
        state = look(*arguments, **more)
        fields = {name: getattr(state, name) for name in dir(state) if name.startswith("st_")}
        for name in ("st_mtime", "st_ctime"):
            seconds = int(fields[name]) // 2 * 2
            fields |= {name: float(seconds), f"{name}_ns": seconds * 10**9}
        return os.stat_result(tuple(state), fields)

    return looked


if "ENOLCK" in kinds:
    fcntl.flock = failing(errno.ENOLCK)
if "bare" in kinds:
    os.fsync, os.fchmod = failing(errno.EINVAL), failing(errno.EPERM)
if "seconds" in kinds:
    os.stat, os.fstat = coarse(stat), coarse(fstat)
for kind, rename in {"ESTALE": stale_once, "lost": answer_lost, "EXDEV": across, "mixed": mixed}.items():
    if kind in kinds:
        os.replace = rename
