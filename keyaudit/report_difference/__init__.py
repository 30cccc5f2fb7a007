"""Two reports compared: what appeared, what is gone, what changed, and which input decided.

A report does not carry every fact that was judged. Where what it carries does not decide, the
cause is *not known*; nothing is guessed. And nothing is called fixed that was not seen: a finding
whose credential lies in a scope that was not read to the end is `not-seen`.
"""
