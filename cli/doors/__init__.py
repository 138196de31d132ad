"""The interface between operators' commands and a stack, and its implementation by the HTTP API.

The API's client is imported from this checkout instead of being installed, so that it always has the same commit
(decision record 0258).
"""

from __future__ import annotations

import sys
from pathlib import Path

CLIENT = str(Path(__file__).resolve().parents[2] / "client")
if CLIENT not in sys.path:
    sys.path.insert(0, CLIENT)
