"""The vocabulary: frozen types, ids, settings and errors that every other package speaks in.

Standard library only, no I/O. Import from the modules (``prunella.model.records`` and so on);
this package re-exports nothing, so that the SDK loads only what it uses.
"""
