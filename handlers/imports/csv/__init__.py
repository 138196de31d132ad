"""The states of the ``import-csv`` machine: large files by a Distributed Map."""
