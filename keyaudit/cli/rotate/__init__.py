"""keyaudit rotate: the only command that changes anything.

Commands: `steps` (run, begin, verify, promote, drain, retire, rollback, resume), `emergency`, `status`,
`list`, `policy`, `simulate`.

options, settings, opening   what was given, what keyaudit.yaml says, and one rotation opened by both
order, grace                 may it begin, and how long the old key may stay usable
going, ending                a run, and what the exit code says of it
foreground, asking           what a run has around it here: clock, patience, and a human
dry_run                      what a run would do
standing                     where a rotation stands
view, words                  what is shown, and in which words
simulation, simulated_fleet  what came of a simulation, and whose rotations were simulated
"""
