"""Two reports compared: what appeared, what is gone, what changed, and which input decided.

A report does not carry every fact that was judged. Where what it carries does not decide, the
cause is *not known*; nothing is guessed. And nothing is called fixed that was not seen: a finding
whose credential lies in a scope that was not read to the end is `not-seen`.

sides, inputs, shifts       two reports laid out; what their audits did not share, and their credentials
comparison                  what is not the same; its nouns are in `changes`
causes, crossings,          why: about a credential, by the clock alone, about a scope, waiver or policy,
subjects, waived            because of a waiver
document                    `keyaudit/diff/1`
ratchet, impact             a gate that only new failures close; what a draft of a policy would change
"""
