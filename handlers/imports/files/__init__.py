"""Reading files: bytes, encodings, dialects, records, within limits."""
