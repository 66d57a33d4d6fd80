"""``python -m tractcap`` is the command line."""

from tractcap.cli import main

main()
