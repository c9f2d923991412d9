"""The ``prunella`` command."""
