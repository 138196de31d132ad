"""Archives: the ``import-zip`` state machine imports their files one by one."""
