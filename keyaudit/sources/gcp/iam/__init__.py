"""Google service accounts: the keys that their users made, as credentials that must be rotated."""
