"""Data flow of states: paths, templates, intrinsic functions and the context object."""
