"""What operators do: explain a key, redrive or skip a failed command, hand the data again to a sync target."""
