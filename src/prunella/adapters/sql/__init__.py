"""The store in SQL, piece by piece; `prunella.adapters.sql_store` puts the pieces together.

One text of each query serves SQLite and PostgreSQL. It is written as SQLite reads it (``?``, ``?1`` and
``:name`` stand for values) and in what both databases understand; `prunella.adapters.postgres` gives
placeholders and column types their other names. Where a table's definition has to differ, the step
that makes it says so (`migrations.Each`).

Every query that writes runs while its transaction holds the store's one write lock, in SQLite
(``BEGIN IMMEDIATE``) as in PostgreSQL (an advisory lock of the schema), so that looking first and
writing then is safe, and of two that want the same thing exactly one gets it.

Standard library only: it is also imported into the programs that are being watched.
"""
