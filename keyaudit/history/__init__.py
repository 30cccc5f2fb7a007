"""History: what is known of credentials from other times than the inventory's.

Earlier inventories, audit logs and rotation records come to one document, `keyaudit/history/1`, and an
inventory that recalls it knows versions and credentials that its stores have since forgotten. What
holds at the instant of the audit is judged by the inventory alone: history is evidence of a period.
"""
