"""AWS on this machine: moto in this process, with replacements for the parts that it gets wrong or lacks."""
