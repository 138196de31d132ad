"""Component resources: each declares what belongs together."""
