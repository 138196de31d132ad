"""Physical names: how they are built, and which ones AWS accepts."""
