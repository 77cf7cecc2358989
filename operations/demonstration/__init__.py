"""The demo: made-up applications whose traffic goes through the real Langfuse SDK."""
