"""后台任务 background jobs: what the worker runs. Importing this package registers every kind of job."""
