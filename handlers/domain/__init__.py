"""The application's own code. Replace the samples; nothing outside of this package names them."""
