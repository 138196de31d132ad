"""Which state and which sync target an error came from: notes on the error (PEP 678), which logs show, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_STATE, _TARGET = "state: ", "sync target: "


@contextmanager
def naming_state(state: str) -> Iterator[None]:
    """Name the state on whatever is raised inside: at most, the row has the last one that wrote something."""
    with _noting(f"{_STATE}{state}"):
        yield


@contextmanager
def naming(target: str) -> Iterator[None]:
    """Name the target on whatever is raised inside."""
    with _noting(f"{_TARGET}{target}"):
        yield


def state_of(error: BaseException) -> str | None:
    """The state that was named, None for errors of other work."""
    return _noted(error, _STATE)


def target_of(error: BaseException) -> str | None:
    """The target that was named, None for errors of other steps."""
    return _noted(error, _TARGET)


@contextmanager
def _noting(note: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(note)
        raise


def _noted(error: BaseException, kind: str) -> str | None:
    notes = (note for note in getattr(error, "__notes__", ()) if note.startswith(kind))
    return next((note.removeprefix(kind) for note in notes), None)
