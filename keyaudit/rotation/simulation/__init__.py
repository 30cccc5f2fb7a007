"""Rotation without a network: a provider that honours keys, in memory, on a clock of its own.

provider, clock                 who honours keys; a clock that is moved
fleet, faults                   whose keys are rotated, and what goes wrong
world, doors                    one credential's store, provider and applications; the way there, which fails
playing, story, tally           its days under the real runner; what came of them; of all credentials
key_store, rotation_manager,    the shortest rotation there is, to learn it by
key_rotation_monitor
"""
