"""What training and inference share: model inputs and the alignment guard. Imports torch."""
