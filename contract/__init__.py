"""The words that the program, the functions, the commands and other projects share: names and constants, nothing else.

Imports none of our packages. Packaged with ``handlers`` and loaded at cold starts: plain constants, a module per
subject.
"""
