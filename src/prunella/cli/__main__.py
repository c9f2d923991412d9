"""``python -m prunella.cli``: the command line of this very interpreter."""

from prunella.cli import main

main()
