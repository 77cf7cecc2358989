"""What lies in the object store: the raw log, media and exports."""
