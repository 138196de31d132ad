"""The test kit for applications: ``ApplicationTest`` for all of it, ``WorkflowTest`` for one workflow alone."""

from local.testing.application import ApplicationTest, Notification
from local.testing.workflows import WorkflowResult, WorkflowTest

__all__ = ["ApplicationTest", "Notification", "WorkflowResult", "WorkflowTest"]
