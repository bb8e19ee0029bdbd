"""The titles by which letters greet, however an account has them.

In: a title as it was typed, case and the last dot aside. Out: the title as it is written before a last
name. The one rule: a title that is not known is written as it was given.
"""

from core.language import Text

_SIR, _MADAM = Text("M.", "Mr"), Text("Mme", "Ms")

TITLES = {
    **dict.fromkeys(("m", "mr", "monsieur"), _SIR),
    **dict.fromkeys(("mme", "mlle", "ms", "mrs", "miss", "madame", "mademoiselle"), _MADAM),
}
