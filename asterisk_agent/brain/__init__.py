"""What the agent knows, understands and answers: pure apart from the engines it is given."""
