"""Composition root: the only module that knows which adapter serves which port."""
