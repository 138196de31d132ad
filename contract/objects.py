"""Prefixes of objects in the stack's bucket; each has its lifecycle and its permissions."""

from __future__ import annotations

#: Attributes of commands that are too large for a row.
ATTRIBUTES = "attributes/"
#: Files to import.
IMPORTS = "imports/"
#: Copies of files for the Distributed Map.
NORMALISED = "normalised/"
#: What the Distributed Map writes.
MAP_RESULTS = "map-results/"
#: Files of archives.
ZIP = "zip/"
#: Reports of failed rows.
REPORTS = "reports/"
#: What the application's own code keeps.
APPLICATION = "application/"
PREFIXES = (ATTRIBUTES, IMPORTS, NORMALISED, MAP_RESULTS, ZIP, REPORTS, APPLICATION)
