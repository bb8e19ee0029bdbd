"""Registration as a pure state machine: drafts, forms, answers, refusals."""
