"""Arguments → one library call → bytes and an exit code; one file a command.

program, lazy            the table of commands, and what becomes of every way a run can end
Commands                 scan report diff trend verify plan explain frameworks rules init completion; groups:
                         `inventory_…`, `policy_…`, `sources_…`, sample, rotate

options, grouping        options that several commands share; those of one topic become one object:
  gathering, listing     what is judged: documents, and live sources with `progress`
  judging                by which rules; `earlier_policies` by which before
  periods, histories     over which time, and on what evidence
  sampling               what is drawn
  looks, presenting      how it looks; `rendering` and `anchoring` make it so
  bundling               what is kept

configuration            keyaudit.yaml; `lineage`, `rotations` and those of options read their part;
                         `rotation_names` whose the rotations are
outputs, tables, clock   where bytes go; small tables; now
credential, differences, report_differences, policy_cases, policy_differences   what commands show, in words
"""

from __future__ import annotations

from keyaudit.cli.program import run

__all__ = ["run"]
