"""HashiCorp Vault and OpenBao: what every engine keeps, from metadata alone.

source, scope            every mount of every namespace; what the scopes of all engines share
kv, transit, approle, static_roles   one engine each; `rotated` what a rotation leaves in KV
client, allowed          the one door, and the only requests that go through it
answers, reads           answers decoded; one question for each thing that a list named
finding, mounts          which namespaces and mounts there are
caller                   as whom a token asks
settings, grants         what keyaudit.yaml says; the least that must be granted
"""
