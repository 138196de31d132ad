"""The Lambda code. Never imports ``infra``, ``local`` or Pulumi."""
