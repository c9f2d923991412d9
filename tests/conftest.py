"""For every test: what it runs records as outside of tests, where `record_tests` isn't asked for."""

import os

os.environ.pop("PYTEST_VERSION", None)
