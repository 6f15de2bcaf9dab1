"""Which exchanges are fit to train behaviour on, and why the others are not."""
