"""Collaborators that a class of the application may take in its constructor, by parameter name."""

from __future__ import annotations

STORE = "store"
OBJECTS = "objects"
CLOCK = "clock"
PUBLISHER = "publisher"
READER = "reader"
WORKFLOWS = "workflows"
SECRETS = "secrets"
LOGGER = "logger"
#: Available to every class, in every function.
COLLABORATORS = (STORE, OBJECTS, CLOCK, PUBLISHER, READER, WORKFLOWS, SECRETS, LOGGER)

SYNC_PUBLISHER = "sync_publisher"
SKIPPER = "skipper"
#: Also available to workflows: they run in the function that contains the pipeline.
OF_WORKFLOWS = (SYNC_PUBLISHER, SKIPPER)
