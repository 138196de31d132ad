"""Embedded AWS for one machine: deploys, runs and serves the program. Not part of a deployment."""
