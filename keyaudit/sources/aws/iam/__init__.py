"""AWS IAM: the access keys and the service-specific credentials of users, and root's access keys."""
