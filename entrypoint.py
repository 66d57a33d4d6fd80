#!/usr/bin/env python3
"""The container's door: the budget, thread counts and limits are settled before anything heavy is imported.

``MAX_MEMORY_MB`` and the container's limits are read by the command line's first lines, in this process, which stays
small; each worker gets its thread counts and its rlimit before it imports numpy or VTK.
"""

import os
import sys

if __name__ == "__main__":
    if not (sys.flags.isolated and sys.flags.utf8_mode):  # called in another way: the host's Python must not leak in
        os.execv(sys.executable, [sys.executable, "-I", "-B", "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606  ourselves
    from tractcap.cli import main

    # any --user may have no home, or one that can't be written: libraries that look for it must not stumble
    if not os.access(os.environ.get("HOME", ""), os.W_OK):
        os.environ["HOME"] = "/tmp"  # noqa: S108
    main()
