"""The console: a page for people over the HTTP API. ``static/`` is the page, ``pages`` answers its files."""
