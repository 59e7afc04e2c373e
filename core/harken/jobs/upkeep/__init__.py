"""What keeps a database in order: retention, backups and their restoring."""
