"""How the model learns: stages, objective, data, the DeepSpeed child and its launcher (paper 3.4, 4.1)."""
