"""How good a model's answers are: scores, their intervals, classes, mistakes, agreement."""
