"""Records in, trained Keras model out: Keras 3, backend-neutral."""
