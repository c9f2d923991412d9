"""Makes imports see other contents than the files on disk have."""

import os
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from typing import Any


def install(overlay: Mapping[str, bytes]) -> None:
    """From now on import the given absolute paths with the given content, in this process."""
    if not overlay:
        return
    contents = {os.path.realpath(path): content for path, content in overlay.items()}
    read_file = SourceFileLoader.get_data
    read_stats = SourceFileLoader.path_stats

    def get_data(self: SourceFileLoader, path: str) -> bytes:
        content = contents.get(os.path.realpath(path))
        return read_file(self, path) if content is None else content

    def path_stats(self: SourceFileLoader, path: str) -> Mapping[str, Any]:
        if os.path.realpath(path) in contents:
            raise OSError("an overlaid file has no byte-code cache")
        return read_stats(self, path)

    SourceFileLoader.get_data = get_data  # type: ignore[method-assign, assignment]
    SourceFileLoader.path_stats = path_stats  # type: ignore[method-assign]
