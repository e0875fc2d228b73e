"""Prefect flows: when and where things run, are retried and watched. They chain package functions and DVC stages."""
