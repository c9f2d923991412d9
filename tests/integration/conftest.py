"""The store, in each database."""

import pytest

from stores import DATABASES, new_store


@pytest.fixture(params=DATABASES)
def store(request, tmp_path):
    with new_store(request.param, tmp_path) as store:
        yield store
