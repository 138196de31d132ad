"""Operators' actions: explain a key, redrive or skip a failed command, resync a sync target."""
