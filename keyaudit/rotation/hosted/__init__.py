"""Rotation where a cloud calls us: AWS Secrets Manager's four steps, Google's reminder.

configuration   what the function is told by its environment
record          the rotation record, written to the log
unattended      a clock, and patience that ends before the function is killed
aws_secret      a secret that AWS rotates, and what its labels say
aws_steps       createSecret, setSecret, testSecret, finishSecret
aws_retiring    afterwards: the keys of older versions, once they are silent
cloud_tasks     Google's alarm clock
"""
