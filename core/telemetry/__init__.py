"""What a running process shows of itself: metrics, log lines and traces; none of them holds personal data."""
