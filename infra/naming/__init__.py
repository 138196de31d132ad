"""Names: how they are made, and what AWS takes as one."""
