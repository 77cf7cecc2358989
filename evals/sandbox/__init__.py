"""Code that users write in the browser or through the API, in a process that can reach nothing."""
