"""The test kit for applications: ``ApplicationTest`` for whole applications, ``WorkflowTest`` for one workflow."""

from local.testing.application import ApplicationTest, Notification
from local.testing.workflows import WorkflowResult, WorkflowTest

__all__ = ["ApplicationTest", "Notification", "WorkflowResult", "WorkflowTest"]
