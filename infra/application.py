"""The application's own resources. Yours to fill: upstream never changes this file.

``declare`` is called once, after the configuration was checked and before anything of the stack is declared. What it
returns reaches every function that runs classes of the application (docs/application.md has an example).
"""

from __future__ import annotations

from infra.components.application import Application, ApplicationArgs


def declare(args: ApplicationArgs) -> Application:
    """Declare tables, buckets, whatever; name them with ``args.names.of(...)``, tag them with ``args.names.tags``."""
    return Application()
