"""Where dreamactor runs: the local server and worker, work pools, and the container stack."""
