"""Which sync target an error came from: a note on the error (PEP 678), so that the log shows it, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_NOTE = "sync target: "


@contextmanager
def naming(target: str) -> Iterator[None]:
    """Name the target on whatever is raised inside."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{_NOTE}{target}")
        raise


def target_of(error: BaseException) -> str | None:
    """The target that was named, None for errors of other steps."""
    notes = (note for note in getattr(error, "__notes__", ()) if note.startswith(_NOTE))
    return next((note.removeprefix(_NOTE) for note in notes), None)
