"""Shared by all routes: requests, callers, responses, problems, and the OpenAPI document."""
