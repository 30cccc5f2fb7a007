"""Amazon Web Services: what its sources share. Only botocore is spoken to, and only to list.

botocore, allowed        the one door, and the only operations that go through it
bounded, metering        an end to every answer; what each call costs
json_lists, refusals     answers and errors, decoded
settings, grants         what keyaudit.yaml says; the least that must be granted
places                   one scope for each account and region: `accounts`, `organization`, `regions`
schedules                schedules as AWS writes them

secrets_manager, ssm, iam, kms   the sources
"""
