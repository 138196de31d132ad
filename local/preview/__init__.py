"""What a change of the repository would change in a stack, from what two revisions of the program declare."""
