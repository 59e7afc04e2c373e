"""The database behind the jobs: its tables and their migrations, transactions, and one writer for many callers."""
