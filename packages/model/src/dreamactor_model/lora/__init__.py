"""Fine-tuning in few weights: adapters beside a finished model's own, and the model they become (LoRA)."""
