"""Embedded AWS for one machine: deploys the program, runs it, serves it. No part of a deployment."""
