"""Packages of others that the application's code imports: ``handlers/requirements.txt``, as a layer."""
