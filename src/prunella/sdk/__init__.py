"""The part that lives in the user's program: ``@heal``, capture, redaction, spool."""
