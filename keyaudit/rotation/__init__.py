"""CHANGING credentials: the only part of keyaudit that does; nothing but the command line imports it.

machine     what to do next, from what can be seen: pure
sight       what can be seen: a store's shelf, a provider's keys
steps       what can be ordered, done, waited for
runner      look, decide, record, do; looking and performing are its two halves
journal     the record that the audit reads
stores      where values are kept            issuers     who makes and honours keys
simulation  the same in memory, with a clock of its own
"""
