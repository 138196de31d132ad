"""AWS on this machine: moto in this process, with the parts replaced that it gets wrong or doesn't have."""
