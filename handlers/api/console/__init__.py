"""The console: a web page on top of the HTTP API. ``static/`` contains the page, ``pages`` serves its files."""
