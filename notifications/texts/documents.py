"""Texts about documents: a new one, and the monthly and annual notes on consumption; French and English.

In: nothing. Out: a subject and a text for each template and language, with the names of the values in braces.
The one rule: a message holds no figure and no file: consumption is read after signing in, and the link to it
opens nothing by itself.
"""

from core.language import Language

DOCUMENT_WORDS: dict[tuple[str, Language], tuple[str, str]] = {
    ("new_document", Language.FR): (
        "Nouveau document : {title}",
        (
            "Un document est à votre disposition pour la résidence {residence} :\n\n{title}\n\n"
            "Consultez-le sur votre portail :\n\n{link}"
        ),
    ),
    ("new_document", Language.EN): (
        "New document: {title}",
        (
            "A document is available to you for the residence {residence}:\n\n{title}\n\n"
            "Read it on your portal:\n\n{link}"
        ),
    ),
    ("monthly_note", Language.FR): (
        "{portal} : vos consommations {of_month}",
        (
            "Votre note d'information sur vos consommations {of_month} est disponible. Elle compare ce mois"
            " au précédent et au même mois de l'année dernière, et donne le cumul de l'année.\n\n"
            "Consultez-la sur votre portail :\n\n{link}"
        ),
    ),
    ("monthly_note", Language.EN): (
        "{portal}: your consumption {of_month}",
        (
            "The note on your consumption {of_month} is available. It compares the month with the one before"
            " and with the same month of last year, and gives the total of the year so far.\n\n"
            "Read it on your portal:\n\n{link}"
        ),
    ),
    ("annual_note", Language.FR): (
        "{portal} : votre note annuelle {year}",
        (
            "Votre note d'information sur vos consommations de l'année {year} est disponible sur votre"
            " portail :\n\n{link}"
        ),
    ),
    ("annual_note", Language.EN): (
        "{portal}: your annual note for {year}",
        "The note on your consumption of the year {year} is available on your portal:\n\n{link}",
    ),
}
