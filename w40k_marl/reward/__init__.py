"""What a step pays: its terms by name, their weights, and the code that plays many games and pays them."""
