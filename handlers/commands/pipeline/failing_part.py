"""Notes on exceptions (PEP 678) that name the state and sync target they came from; logs show them, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_STATE, _TARGET = "state: ", "sync target: "


@contextmanager
def naming_state(state: str) -> Iterator[None]:
    """Add the state to errors raised inside. The row alone shows at most the last state that wrote something."""
    with _noting(f"{_STATE}{state}"):
        yield


@contextmanager
def naming(target: str) -> Iterator[None]:
    """Add the target to errors raised inside."""
    with _noting(f"{_TARGET}{target}"):
        yield


def state_of(error: BaseException) -> str | None:
    """The state that was noted, None for other errors."""
    return _noted(error, _STATE)


def target_of(error: BaseException) -> str | None:
    """The target that was noted, None for other errors."""
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
