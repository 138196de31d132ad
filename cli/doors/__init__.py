"""The ways to what operators' commands work with: a stack's tables, or its HTTP API.

The API's client is next to this package and not installed: it comes from the same commit, whatever ``.venv`` holds
(decision record 0258).
"""

from __future__ import annotations

import sys
from pathlib import Path

CLIENT = str(Path(__file__).resolve().parents[2] / "client")
if CLIENT not in sys.path:
    sys.path.insert(0, CLIENT)
