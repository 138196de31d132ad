"""Run by the Pulumi CLI for ``--policy-pack policy``: it starts this folder as a program of its own."""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
importlib.import_module("policy.pack").start()
