"""What a manager does for a residence: who moves in and out, invitations, documents, the overview."""
