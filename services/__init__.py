"""What gets done: rules, durable operations, and one room per outside system."""
