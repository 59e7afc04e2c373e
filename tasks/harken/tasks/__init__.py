"""The Celery side: the app, its tasks, the queues, and the life of a worker."""
