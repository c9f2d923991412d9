"""The embedded store, piece by piece; `prunella.adapters.sqlite_store` puts them together.

Standard library only: it is also imported into the programs that are being watched.
"""
