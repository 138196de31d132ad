"""INLINE: commands applied by the consumer of their stream, which hands over to a machine what can't end there."""
