"""Evidence that stands up: samples that anybody can draw again, bundles that anybody can replay.

sampling                 a sample: drawn, and drawn again

layout                   what lies where in a bundle
collecting, recipe       what an audit was made of; the document that says so (`audit.json`)
settings, matches        … how its documents were printed, and what its lineages match, as plain data
replay, governing        the audit made again from a bundle's inputs; a policy with its frameworks
resolved                 the policy as it was understood (`policy.resolved.json`)
statement, dsse          the manifest, and the envelope of its signature; `signing` has who signs
writing, staging         a bundle written: its order, and a folder that is finished or gone
following                the bundle that a new one follows

verifying                a bundle verified: everything below, in its order
verification             what was found, check by check; `verification_text` in words
opening, archive         a bundle opened without believing it; a .zip of one
checking                 its manifest, and every file against it
signatures, trust        who signed it, by `ssh_signatures` too; whose signature a reader trusts
chain                    which bundle follows which
comparing, explaining    it is audited again, and all outputs compared; where two makings part
"""
