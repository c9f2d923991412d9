"""For every test: what it runs records as outside of tests, where `record_tests` isn't asked for."""

import os
import signal

from hypothesis import settings

os.environ.pop("PYTEST_VERSION", None)

# A shell starts what runs in its background with Ctrl-C ignored, and programs would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long a law takes to be checked says nothing about it.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
