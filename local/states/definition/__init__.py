"""Reading definitions: JSON to a checked model."""
