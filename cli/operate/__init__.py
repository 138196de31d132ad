"""Commands for operators of a deployed stack. They need boto3's core and nothing else."""
