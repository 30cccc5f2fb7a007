"""Anthropic: the API keys of an organization, in all of its workspaces."""
