"""Prunella makes Python programs heal."""

from prunella._version import __version__

__all__ = ["__version__"]
