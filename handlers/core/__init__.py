"""What every capability stands on: keys, errors, values, time, logs. Imports nothing of ours but ``contract``."""
