"""Champion and challenger: whether a candidate may take the active model's place, by stated rules, with reasons."""
