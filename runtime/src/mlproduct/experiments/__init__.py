"""Every run and what came of it, failures too; and what a difference between two runs is made of."""
