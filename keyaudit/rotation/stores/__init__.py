"""Where credentials are kept: one file a store, one protocol (`protocol.Store`)."""
