"""AWS KMS: the keys that a customer manages, and the material behind them."""
