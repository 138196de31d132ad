"""The operators' commands: explain, redrive, skip, resync, tasks. They need boto3's core and nothing else."""
