"""What the exit code of `harken` says to a script."""

DONE = 0
JOB_FAILED = 1
"""A job failed or was cancelled, or one of several, such as an item of a batch, was refused."""
USAGE = 2
"""The command line is wrong, or an extra is not installed."""
NO_SERVER = 3
REFUSED = 4
"""The server refused the request: no such job, batch or file, a path outside its media roots …"""
SERVER_FAULT = 5
"""A fault in harken itself."""
INTERRUPTED = 130
"""Ctrl-C, as shells have it: 128 + SIGINT."""
BROKEN_PIPE = 141
"""The reader of the output went away, as shells have it: 128 + SIGPIPE."""

HELP = """\b
Exit codes:
  0    done
  1    a job failed or was cancelled, or one of several was refused
  2    wrong usage, or a part of harken is not installed
  3    no server answers
  4    refused by the server: not found, not allowed, not valid
  5    a fault in harken
  130  stopped by Ctrl-C"""
