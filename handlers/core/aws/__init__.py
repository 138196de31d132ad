"""What all adapters of AWS share: clients, the nature of errors, batches of messages."""
