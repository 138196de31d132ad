"""What all consumers of streams and queues share: reading messages, answering batches, what becomes of errors."""
