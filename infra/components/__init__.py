"""Component resources, each of which declares a group of related resources."""
