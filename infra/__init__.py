"""The Pulumi program's components. Importing anything here creates nothing; only ``__main__.py`` acts."""
