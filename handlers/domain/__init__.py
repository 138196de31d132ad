"""The application's own code. Replace the samples; nothing outside this package refers to them."""
