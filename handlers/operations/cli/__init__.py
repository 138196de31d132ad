"""``./cqrs explain | redrive | skip | resync``: the operators' commands. They need boto3's core and nothing else."""
