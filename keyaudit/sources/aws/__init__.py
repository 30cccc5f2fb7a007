"""Amazon Web Services: what its sources share. Only botocore is spoken to, and only to list."""
