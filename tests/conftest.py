"""For every test: what it runs records as outside of tests, where `record_tests` isn't asked for."""

import os

from hypothesis import settings

os.environ.pop("PYTEST_VERSION", None)

# How long a law takes to be checked says nothing about it.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
