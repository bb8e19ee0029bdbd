"""Many telegrams of one kind at once: what they have in common is worked out once.

In: telegrams, and envelopes and frames that `core.mbus.decode` made of some of them. Out: the same values as
it makes, for all of them. The one rule: no module of `core.mbus` outside imports this package; what
it cannot make just as they do it leaves to them.
"""
