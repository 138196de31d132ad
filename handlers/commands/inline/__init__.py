"""INLINE: the stream consumer applies commands, and hands those that can't end there over to a state machine."""
