"""The flow of data through states: paths, templates, intrinsic functions, the context object."""
