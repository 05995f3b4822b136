"""Built-in scene sources, question generators and backbones."""
