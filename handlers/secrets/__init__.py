"""The secrets port: values that the application's code reads by name."""
