"""HashiCorp Vault and OpenBao: what every engine keeps, from metadata alone."""
