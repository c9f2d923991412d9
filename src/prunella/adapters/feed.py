"""The feed: what running programs are told to apply, as one file beside the store.

Running programs look at the file every quarter of a second and never at the store. It is made from
the store under a lock and put in place by a rename, so that a reader sees a whole file, and of two
writers at once the last one has seen what both decided.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prunella.codec.plain import to_plain
from prunella.fixes import Lot
from prunella.model.errors import StoreError
from prunella.model.project import DISABLED, FIXES_OFF, fix_of_name, fixes_off_name
from prunella.model.rollouts import LIVE, Rollout, RolloutState
from prunella.ports import RolloutStore
from prunella.rollout.rivals import lots
from prunella.sdk.files import put

#: Name of the feed's file in a project's data folder.
FILE_NAME = "fixes.json"
_LOCK_NAME = "fixes.lock"


class FileFeed:
    """Implements `prunella.ports.Feed` for the programs on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish(self, store: RolloutStore) -> bool:
        """Bring the file up to date with `store`; return whether it has changed.

        Raises `StoreError` where it can't be written.
        """
        path = self._folder / FILE_NAME
        if not path.exists() and _document(store) == _NOTHING:
            return False  # most projects have no fixes: no lock for those
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self._folder / _LOCK_NAME):
                wanted = _document(store)
                if _present(path) == wanted or (wanted == _NOTHING and not path.exists()):
                    return False
                put(path, wanted)
        except OSError as error:
            raise StoreError(
                f"{path} can't be written ({error.strerror or error}): running programs don't hear "
                "of fixes until it can. Check the folder's permissions and the disk's free space."
            ) from error
        return True


def switch_off(folder: Path, fix_id: str | None, why: str, *, recording: bool = False) -> Path:
    """Switch a fix off in the programs of a project, or all of them; return the file that does it.

    With `recording`, everything that Prunella does in them. `why` is kept in it. Needs no store. Raises `StoreError` where the file can't be made.
    """
    path = _switch(folder, fix_id, recording)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        path.write_text(f"{why}\n", encoding="utf-8", errors="replace")
    except OSError as error:
        raise StoreError(
            f"{path} can't be written ({error.strerror or error}): the fixes still act. Make the "
            "file yourself, or start the programs with PRUNELLA_FIXES=off."
        ) from error
    return path


def switch_on(folder: Path, fix_id: str | None, *, recording: bool = False) -> bool:
    """Take `switch_off` back; return whether there was anything to take back.

    Raises `StoreError` where the file can't be removed.
    """
    path = _switch(folder, fix_id, recording)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"{path} can't be removed: {error.strerror or error}") from error
    return True


def switched_off(folder: Path) -> list[str | None]:
    """Return the fixes that are switched off by files, ``None`` for all of them."""
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError:
        return []
    off: list[str | None] = [None] if FIXES_OFF in names else []
    return off + [fix_of_name(each) for each in names if each.startswith(f"{FIXES_OFF}-")]


def _switch(folder: Path, fix_id: str | None, recording: bool) -> Path:
    if recording:
        return folder / DISABLED
    return folder / (FIXES_OFF if fix_id is None else fixes_off_name(fix_id))


def installation_of(rollout: Rollout, lot: Lot | None = None) -> Mapping[str, Any] | None:
    """Return how a running program is to apply a rollout's fix; ``None`` if not at all.

    `lot` says which units take part where it has rivals.
    """
    if rollout.shadow and rollout.state is RolloutState.CANDIDATE and not rollout.paused:
        mode = "shadow"
    elif rollout.state in LIVE and not rollout.paused:
        mode = "enforce"
    else:
        return None
    return {
        "document": dict(rollout.document),
        "mode": mode,
        "allocation": {
            "salt": rollout.rollout_id,
            "ratio": rollout.ratio,
            "epoch": rollout.epoch,
            **({} if rollout.baseline is None else to_plain(rollout.baseline)),
            **({} if lot is None else {"lot": to_plain(lot)}),
        },
    }


def installations_of(store: RolloutStore) -> list[Mapping[str, Any]]:
    """Return how running programs are to apply the fixes of `store`, in a fixed order."""
    states = (*LIVE, RolloutState.CANDIDATE)
    found = sorted(store.rollouts(states=states), key=lambda item: item.rollout_id)
    lot_of = lots(found)
    told = (installation_of(each, lot_of.get(each.rollout_id)) for each in found)
    return [each for each in told if each is not None]


def _document(store: RolloutStore) -> bytes:
    return _encoded(installations_of(store))


def _encoded(installations: list[Mapping[str, Any]]) -> bytes:
    return json.dumps({"installations": installations}, indent=1, sort_keys=True).encode() + b"\n"


_NOTHING = _encoded([])


def _present(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
