"""Candidate to verdict: replay, policy, tests."""
