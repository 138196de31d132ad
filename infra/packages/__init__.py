"""Third-party packages of the application's code: ``handlers/requirements.txt``, deployed as a layer."""
