"""The application's own resources. Yours to fill: upstream never changes this file.

``declare`` is called once, after the configuration was checked and before any of the stack's resources are declared.
Its result is passed to every function that runs the application's classes (docs/application.md has an example).
"""

from __future__ import annotations

from infra.components.application import Application, ApplicationArgs


def declare(args: ApplicationArgs) -> Application:
    """Declare tables, buckets or other resources, with ``args.names.of(...)`` and ``args.names.tags``."""
    return Application()
