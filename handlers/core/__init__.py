"""The base of every capability: keys, errors, values, time, logs. Imports none of our packages but ``contract``."""
