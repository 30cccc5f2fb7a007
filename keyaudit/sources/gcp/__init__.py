"""Google Cloud: what its sources share. Only Google's gRPC services are spoken to, and only to list."""
