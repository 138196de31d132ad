"""Generated parts of pages."""
