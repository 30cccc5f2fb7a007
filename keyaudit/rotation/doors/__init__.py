"""The ways out: how the parties of one provider ask it, and what whoever asks must be granted.

aws        botocore: who signs, what a refusal means          aws_grants      the policy of IAM
google     Google's clients, likewise                         google_grants   the custom role
vault      Vault and OpenBao                                  vault_grants    the policy
web        plain HTTP, by a list of calls: all other providers
command    a program of the user's own

What changes something is asked once; what only looks is asked again where that helps. A refusal is
its code: never the server's own words.
"""
