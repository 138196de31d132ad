"""Entry point for ``--policy-pack policy``: the Pulumi CLI runs this folder as a separate program."""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
importlib.import_module("policy.pack").start()
