"""Archives: their files one after the other, by the ``import-zip`` machine."""
