"""Occurrences to incidents: fingerprint, error code, ignore rules. Pure."""
