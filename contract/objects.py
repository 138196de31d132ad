"""Prefixes of objects in the stack's bucket; each has its own lifecycle and permissions."""

from __future__ import annotations

#: Attributes of commands that are too large for a row.
ATTRIBUTES = "attributes/"
#: Files to import.
IMPORTS = "imports/"
#: Normalised copies of files for the Distributed Map.
NORMALISED = "normalised/"
#: Results that the Distributed Map writes.
MAP_RESULTS = "map-results/"
#: Files extracted from archives.
ZIP = "zip/"
#: Reports of failed rows.
REPORTS = "reports/"
#: Objects of the application's own code.
APPLICATION = "application/"
PREFIXES = (ATTRIBUTES, IMPORTS, NORMALISED, MAP_RESULTS, ZIP, REPORTS, APPLICATION)
