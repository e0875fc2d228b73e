"""What a training would cost before anything is started: memory, operations, time (`dreamactor model plan`)."""
