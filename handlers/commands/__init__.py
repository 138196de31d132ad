"""The command log and the pipeline that applies it to the read model."""
