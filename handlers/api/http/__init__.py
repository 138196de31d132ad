"""What all routes share: requests, callers, answers, problems, and the document of all of it."""
