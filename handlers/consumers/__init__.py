"""What all consumers of streams and queues share: reading messages, batch responses, error handling."""
