"""Who makes credentials and honours them: one file a provider, one protocol (`protocol.Issuer`)."""
