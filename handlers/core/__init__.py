"""The base of every capability: keys, errors, values, time, logs. Of our packages it imports only ``contract``."""
