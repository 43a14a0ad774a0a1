"""As in pyboot, this package leads to the model's own."""
