"""Google Secret Manager: secrets and versions, asked of the service or of Cloud Asset Inventory."""
