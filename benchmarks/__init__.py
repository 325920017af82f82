"""Speed, and what the built-in data can and cannot show."""
