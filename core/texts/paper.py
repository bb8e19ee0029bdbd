"""The words of what goes out on paper: the flyer, the guide to meters, the certificate of consumption of
residents without an account, the notices to managers; French and English.

In: a key and a language. Out: a text with the names of the values in braces. The one rule: a sheet that
lies in a hallway or a letterbox holds nothing that opens an account: the code of the residence, and never
the serial number of a meter (R-018, R-040, C-40).
"""

from core.language import Language, Text

WORDS: dict[str, Text] = {
    "flyer.title": Text("Suivez les consommations de votre logement", "Follow the consumption of your home"),
    "flyer.intro": Text(
        "Consultez vos consommations d'eau et de chauffage, et soyez averti par e-mail ou par SMS en cas de"
        " fuite, si vous le souhaitez. L'accès est gratuit.",
        "See your consumption of water and heat, and be warned of a leak by e-mail or SMS if you wish. Access"
        " is free of charge.",
    ),
    "flyer.code": Text("Le code de votre résidence", "The code of your residence"),
    "flyer.dwelling": Text("Votre logement", "Your home"),
    "flyer.scan": Text(
        "Scannez ce code avec votre téléphone, ou ouvrez cette adresse :",
        "Scan this code with your phone, or open this address:",
    ),
    "flyer.steps": Text("Pour créer votre compte", "To open your account"),
    "flyer.serial": Text("Le numéro de série", "The serial number"),
    "flyer.serial.text": Text(
        "Il est gravé ou imprimé sur chacun de vos compteurs, par exemple {example}. Il prouve que vous êtes"
        " dans le logement : il ne figure donc pas sur ce document.",
        "It is engraved or printed on each of your meters, such as {example}. It proves that you are in the"
        " home, so it does not stand on this sheet.",
    ),
    "flyer.privacy": Text(
        "Vos données restent les vôtres : votre gestionnaire ne voit vos consommations journalières que si"
        " vous l'y autorisez, et vous pouvez changer d'avis à tout moment.",
        "Your data remain yours: your manager sees your daily consumption only if you allow it, and you can"
        " change your mind at any time.",
    ),
    "door.building": Text("bâtiment {value}", "building {value}"),
    "door.staircase": Text("escalier {value}", "staircase {value}"),
    "door.floor": Text("étage {value}", "floor {value}"),
    "door.number": Text("porte {value}", "door {value}"),
    "door.lot": Text("lot {value}", "lot {value}"),
    "contact": Text("Une question ? {contact}", "A question? {contact}"),
    "certificate.title": Text("Justificatif de consommation", "Consumption certificate"),
    "certificate.to": Text("À l'occupant du logement", "To the occupant of the home"),
    "certificate.greeting": Text("Madame, Monsieur,", "Dear resident,"),
    "certificate.intro": Text(
        "Voici les consommations relevées dans votre logement, jusqu'à fin {month}.",
        "This is the consumption read in your home, up to the end of {month}.",
    ),
    "certificate.none": Text(
        "Aucune consommation n'a été relevée dans votre logement jusqu'à fin {month}.",
        "No consumption has been read in your home up to the end of {month}.",
    ),
    "certificate.fluid": Text("Fluide", "Fluid"),
    "certificate.year": Text("Depuis le {day}", "Since {day}"),
    "certificate.unknown": Text("non relevé", "not read"),
    "certificate.incomplete": Text(
        "* Des jours manquent : la valeur est la somme des jours relevés.",
        "* Days are missing: the figure is the sum of the days that were read.",
    ),
    "certificate.online": Text(
        "Vous recevez cette lettre parce que vous n'avez pas de compte en ligne. Pour suivre vos"
        " consommations et être averti en cas de fuite, créez le vôtre avec le code de votre résidence,"
        " {code} :",
        "You receive this letter because you have no account online. To follow your consumption, and to be"
        " warned of a leak, open yours with the code of your residence, {code}:",
    ),
    "certificate.code": Text("Code de la résidence : {code}", "Code of the residence: {code}"),
    "certificate.consent": Text(
        "Votre gestionnaire voit vos consommations mensuelles, jamais vos consommations journalières sans"
        " votre accord.",
        "Your manager sees your consumption by month, and never by day without your consent.",
    ),
    "guide.title": Text("Guide identification compteur", "Guide to meters"),
    "guide.any": Text("Tous les appareils", "All devices"),
    "guide.examples": Text("À quoi ressemble un numéro de série", "What a serial number looks like"),
    "guide.meter": Text("Compteur", "Meter"),
    "guide.serial": Text("Numéro de série, par exemple", "Serial number, for example"),
    "notice.ready.title": Text("Votre portail {portal} est prêt", "Your portal {portal} is ready"),
    "notice.ready.text": Text(
        "Les données de la résidence sont publiées depuis le {day}. Vos résidents peuvent créer leur compte"
        " avec le code de la résidence, à cette adresse :",
        "The data of the residence are published since {day}. Your residents can open their accounts with the"
        " code of the residence, at this address:",
    ),
    "notice.closed.title": Text(
        "Votre portail {portal} est fermé aux inscriptions", "Your portal {portal} is closed to registration"
    ),
    "notice.closed.text": Text(
        "La résidence n'est plus publiée depuis le {day} : vos résidents ne peuvent plus créer de compte. Les"
        " comptes existants restent ouverts.",
        "The residence is no longer published since {day}: your residents can open no new account. Existing"
        " accounts remain open.",
    ),
    "notice.residence": Text("Résidence", "Residence"),
    "notice.address": Text("Adresse", "Address"),
    "notice.code": Text("Code", "Code"),
    "notice.day": Text("Date", "Date"),
}


def words(key: str, language: Language, **values: object) -> str:
    """A text with its values.

    Raises:
        KeyError: there is no such text, or a value is missing.
    """
    return WORDS[key].in_language(language).format_map(values)
