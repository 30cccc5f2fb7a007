"""AWS Systems Manager Parameter Store: SecureString parameters."""
