"""What analysts read: monthly statistics of residences and of their operator."""
