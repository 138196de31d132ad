"""Distributed Maps: readers, batches, child executions, results."""
