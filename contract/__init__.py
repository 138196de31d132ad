"""Names and constants that the Pulumi program, the functions, the commands and other projects share.

Imports none of our packages. Packaged with ``handlers`` and loaded at cold starts, so it has plain constants only, one
module per subject.
"""
