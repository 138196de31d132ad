"""The words that the program, the functions, the commands and other projects share: names and constants, nothing else.

Imports nothing of ours. Packaged beside ``handlers`` and loaded at cold starts: plain constants, a module per subject.
"""
