"""Commands for operators of a deployed stack. They only need botocore."""
