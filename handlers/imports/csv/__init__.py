"""The states of the ``import-csv`` state machine, which imports large files with a Distributed Map."""
