"""OpenAI: the API keys of an organization's projects, and its admin keys."""
