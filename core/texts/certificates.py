"""The words of what is issued with a verification code: the index certificate and a leak's dossier; and of
the page that verifies them; French and English.

In: a key and a language. Out: a text with the names of the values in braces. The one rule: a copy that goes
to both sides of a move names nobody, and a page that anybody may open says nothing of a home.
"""

from typing import Final

from core.language import Language, Text

WORDS: Final[dict[str, Text]] = {
    "mark.title": Text("Vérifier ce document", "Verify this document"),
    "mark.code": Text("Code de vérification : {code}", "Verification code: {code}"),
    "mark.how": Text(
        "Scannez le code, ou saisissez-le à l'adresse ci-dessous : la page confirme le document et son"
        " empreinte SHA-256.",
        "Scan the code, or enter it at the address below: the page confirms the document and its"
        " SHA-256 hash.",
    ),
    "mark.signed": Text(
        "Document signé électroniquement par {name}. Toute modification est visible dans un lecteur PDF.",
        "Signed electronically by {name}. A PDF reader shows any later change.",
    ),
    "of.residence": Text("Résidence", "Residence"),
    "of.address": Text("Adresse", "Address"),
    "of.dwelling": Text("Logement", "Dwelling"),
    "of.issued": Text("Établi le", "Issued on"),
    "index.title": Text("Certificat d'index", "Index certificate"),
    "index.day": Text("Index au", "Indexes on"),
    "index.day.value": Text("{day} à minuit (fin de journée)", "{day} at midnight (end of the day)"),
    "index.day.today": Text(
        "{day}, journée en cours : relevés reçus jusqu'à {time}",
        "{day}, a day that has not ended: readings received until {time}",
    ),
    "index.copy": Text("Exemplaire", "Copy"),
    "index.copy.OUTGOING": Text("de l'occupant sortant", "of the outgoing occupant"),
    "index.copy.INCOMING": Text("de l'occupant entrant", "of the incoming occupant"),
    "index.intro": Text(
        "Dernier index télérelevé de chaque appareil du logement, à la date indiquée ou avant elle."
        " À joindre à"
        " l'état des lieux.",
        "The last index that was read remotely from each device of the home, on the day stated or before it."
        " To be attached to the inventory of fixtures.",
    ),
    "index.column.fluid": Text("Fluide", "Fluid"),
    "index.column.serial": Text("N° de série", "Serial number"),
    "index.column.location": Text("Emplacement", "Location"),
    "index.column.index": Text("Index", "Index"),
    "index.column.unit": Text("Unité", "Unit"),
    "index.column.read": Text("Relevé le", "Read on"),
    "index.column.quality": Text("Qualité", "Quality"),
    "index.quality.ON_DAY": Text("relevé le jour même", "read on the day"),
    "index.quality.EARLIER": Text("relevé {days} avant", "read {days} before"),
    "index.quality.NEVER_READ": Text("non relevé : aucun relevé reçu", "not read: no reading received"),
    "index.quality.NOT_SINCE_MOVE_IN": Text("non relevé depuis l'emménagement", "not read since the move-in"),
    "index.quality.DOUBTFUL_ONLY": Text(
        "non relevé : les relevés reçus sont douteux", "not read: the readings received are doubtful"
    ),
    "index.no_meters": Text(
        "Aucun appareil n'était en service dans ce logement à cette date.",
        "No device was in service in this home on that day.",
    ),
    "index.late": Text(
        "Un relevé reçu après l'établissement de ce document peut préciser un index ; un nouveau certificat"
        " porte alors un autre code.",
        "A reading that is received after this document was issued may make an index more precise; a new"
        " certificate then has another code.",
    ),
    "index.sign": Text("Noms et signatures, à la main", "Names and signatures, by hand"),
    "index.sign.outgoing": Text("Occupant sortant", "Outgoing occupant"),
    "index.sign.incoming": Text("Occupant entrant", "Incoming occupant"),
    "index.sign.landlord": Text("Bailleur ou mandataire", "Landlord or agent"),
    "index.page": Text("Certificat d'index {code} · page {page}", "Index certificate {code} · page {page}"),
    "leak.title": Text("Dossier de fuite", "Leak dossier"),
    "leak.page": Text("Dossier de fuite {code} · page {page}", "Leak dossier {code} · page {page}"),
    "leak.intro": Text(
        "Pour un assureur, un bailleur, ou une demande d'écrêtement de la facture d'eau après une fuite (code"
        " général des collectivités territoriales, articles L. 2224-12-4 III bis et R. 2224-20-1).",
        "For an insurer, a landlord, or a request to cap the water bill after a leak (French local"
        " authorities"
        " code, articles L. 2224-12-4 III bis and R. 2224-20-1).",
    ),
    "leak.meter": Text("Compteur", "Meter"),
    "leak.course": Text("Déroulement", "Course"),
    "leak.began": Text("Début de la fuite", "Beginning of the leak"),
    "leak.began.value": Text("{day} (niveau {level} : {equivalent})", "{day} (level {level}: {equivalent})"),
    "leak.detected": Text("Constatée le", "Detected on"),
    "leak.notice": Text("Occupant averti le", "Occupant warned on"),
    "leak.notice.EMAIL": Text("{at}, par e-mail", "{at}, by e-mail"),
    "leak.notice.SMS": Text("{at}, par SMS", "{at}, by SMS"),
    "leak.notice.PORTAL": Text("{at}, sur le portail", "{at}, on the portal"),
    "leak.deadline": Text("Un mois après", "One month later"),
    "leak.deadline.text": Text(
        "Dernier jour d'un mois à compter de l'avertissement ci-dessus. Le délai légal d'un mois"
        " pour l'attestation court"
        " à partir de l'information donnée par le service d'eau potable à son abonné.",
        "The last day of a month from the warning above. The legal month for the attestation runs"
        " from the day"
        " on which the water service informs its subscriber.",
    ),
    "leak.repaired": Text("Réparation déclarée", "Repair as reported"),
    "leak.repaired.value": Text("le {at}", "on {at}"),
    "leak.repaired.none": Text("aucune réparation déclarée", "no repair was reported"),
    "leak.note": Text("Précision du déclarant", "Note with the report"),
    "leak.meter_says": Text("Constat du compteur", "What the meter shows"),
    "leak.meter_says.ended": Text(
        "l'écoulement continu a cessé : premier jour sans fuite le {day}",
        "the continuous flow has ended: first day without the leak {day}",
    ),
    "leak.meter_says.VERIFIED": Text(
        "réparation confirmée le {at} par 48 heures de relevés",
        "repair confirmed on {at} by 48 hours of readings",
    ),
    "leak.meter_says.RELAPSED": Text(
        "l'écoulement continue après la réparation déclarée (constat du {at})",
        "the flow goes on after the reported repair (seen on {at})",
    ),
    "leak.meter_says.running": Text(
        "l'écoulement continu dure encore au {day}", "the continuous flow still lasts on {day}"
    ),
    "leak.loss": Text("Volume perdu", "Volume lost"),
    "leak.loss.value": Text("{loss} (débit moyen {flow})", "{loss} (mean flow {flow})"),
    "leak.loss.unknown": Text(
        "non chiffré : la fuite s'étend hors de la période de cet occupant, ou les relevés manquent",
        "not stated: the leak reaches beyond this occupant's period, or readings are missing",
    ),
    "leak.cost": Text("Coût estimé", "Estimated cost"),
    "leak.cost.RESIDENCE": Text(
        "{cost}, au prix de l'eau de la résidence ({price} par m3, assainissement compris)",
        "{cost}, at the residence's price of water ({price} per m3, waste water included)",
    ),
    "leak.cost.STATED": Text(
        "{cost}, au prix indiqué par le demandeur ({price} par m3)",
        "{cost}, at the price stated by whoever asked ({price} per m3)",
    ),
    "leak.cost.no_price": Text(
        "non chiffré : aucun prix de l'eau n'est connu", "not stated: no price of water is known"
    ),
    "leak.cost.no_loss": Text(
        "non chiffré : le volume perdu n'est pas connu", "not stated: the volume lost is not known"
    ),
    "leak.comparison": Text("Volume anormal", "Abnormal volume"),
    "leak.comparison.several": Text(
        "{volume} dans le logement pendant la fuite ; moyenne des mêmes jours des {years} années"
        " précédentes :"
        " {mean}. Le double de cette moyenne, {limit}, {verdict}.",
        "{volume} in the home during the leak; mean of the same days of the {years} years before:"
        " {mean}. Twice"
        " that mean, {limit}, {verdict}.",
    ),
    "leak.comparison.1": Text(
        "{volume} dans le logement pendant la fuite ; mêmes jours de la seule année précédente"
        " connue : {mean}."
        " Le double, {limit}, {verdict}.",
        "{volume} in the home during the leak; the same days of the only earlier year that is known: {mean}."
        " Twice that, {limit}, {verdict}.",
    ),
    "leak.comparison.above": Text("est dépassé", "is exceeded"),
    "leak.comparison.within": Text("n'est pas dépassé", "is not exceeded"),
    "leak.comparison.days": Text(
        "non comparé : des jours de la fuite n'ont pas été relevés",
        "not compared: days of the leak were not read",
    ),
    "leak.comparison.years": Text(
        "non comparé : aucune des trois années précédentes n'est connue en entier pour cet occupant",
        "not compared: none of the three years before is known whole for this occupant",
    ),
    "leak.days": Text("Litres par jour", "Litres by day"),
    "leak.days.text": Text(
        "Volume relevé par ce compteur, usage courant compris. Les jours de fuite sont en foncé."
        " Total : {total}.",
        "The volume that this meter counted, ordinary use included. Days of the leak are dark."
        " Total: {total}.",
    ),
    "leak.days.cut": Text(
        "Les {days} jours les plus récents ; les jours précédents ne sont pas repris.",
        "The latest {days} days; earlier ones are left out.",
    ),
    "leak.days.none": Text("Aucun jour relevé.", "No day was read."),
    "leak.day": Text("Jour", "Day"),
    "leak.litres": Text("Litres", "Litres"),
    "leak.quality": Text("Qualité", "Quality"),
    "leak.quality.MEASURED": Text("mesuré", "measured"),
    "leak.quality.CORRECTED": Text("corrigé", "corrected"),
    "leak.quality.ESTIMATED": Text("estimé", "estimated"),
    "leak.quality.PARTIAL": Text("partiel", "partial"),
    "leak.quality.MISSING": Text("non relevé", "not read"),
    "leak.attestation": Text(
        "Attestation de l'entreprise de plomberie", "Attestation of the plumbing company"
    ),
    "leak.attestation.text": Text(
        "L'écrêtement suppose une fuite sur une canalisation après compteur, réparée, attestée par une"
        " entreprise de plomberie avec la localisation de la fuite et la date de la réparation. Les"
        " fuites des"
        " appareils ménagers et des équipements sanitaires ou de chauffage en sont exclues.",
        "The cap requires a leak of a pipe after the meter, repaired, and attested by a plumbing company with"
        " the place of the leak and the date of the repair. Leaks of household appliances and of sanitary or"
        " heating equipment are excluded.",
    ),
    "leak.attestation.company": Text("Entreprise, SIRET", "Company, registration number"),
    "leak.attestation.place": Text("Localisation de la fuite", "Place of the leak"),
    "leak.attestation.date": Text("Date de la réparation", "Date of the repair"),
    "leak.attestation.signature": Text("Cachet et signature", "Stamp and signature"),
    "page.title": Text("Vérification d'un document", "Verification of a document"),
    "page.ask": Text("Code imprimé sur le document", "The code printed on the document"),
    "page.check": Text("Vérifier", "Verify"),
    "page.known": Text(
        "Ce code est celui d'un document authentique.", "This code is that of a genuine document."
    ),
    "page.unknown": Text(
        "Aucun document ne porte ce code. Vérifiez la saisie : le code a seize signes.",
        "No document has this code. Check what you entered: the code has sixteen signs.",
    ),
    "page.kind": Text("Document", "Document"),
    "page.kind.INDEX_STATEMENT": Text("Relevé d'index", "Index statement"),
    "page.kind.INDEX_CERTIFICATE": Text("Certificat d'index (état des lieux)", "Index certificate"),
    "page.kind.LEAK_DOSSIER": Text("Dossier de fuite", "Leak dossier"),
    "page.issued": Text("Établi le", "Issued on"),
    "page.by": Text("Par", "By"),
    "page.size": Text("Taille du fichier", "Size of the file"),
    "page.bytes": Text("{size} octets", "{size} bytes"),
    "page.hash": Text("Empreinte SHA-256", "SHA-256 hash"),
    "page.compare": Text("Comparer un fichier", "Compare a file"),
    "page.compare.text": Text(
        "Choisissez le fichier reçu : son empreinte est calculée dans votre navigateur, le fichier n'est pas"
        " envoyé.",
        "Choose the file that you received: its hash is computed in your browser, and the file is not sent.",
    ),
    "page.compare.hash": Text("Ou collez son empreinte SHA-256", "Or paste its SHA-256 hash"),
    "page.same": Text(
        "Les empreintes sont identiques : le fichier est celui qui a été établi.",
        "The hashes are the same: the file is the one that was issued.",
    ),
    "page.different": Text(
        "Les empreintes diffèrent : ce fichier n'est pas celui qui a été établi, ou il a été modifié.",
        "The hashes differ: this file is not the one that was issued, or it was changed.",
    ),
    "page.not_a_hash": Text(
        "Une empreinte SHA-256 a 64 signes hexadécimaux.", "A SHA-256 hash has 64 hexadecimal digits."
    ),
    "page.limited": Text(
        "Trop de vérifications depuis cette adresse ; réessayez plus tard.",
        "Too many verifications from this address; try again later.",
    ),
    "page.paper": Text(
        "Un document imprimé se compare ligne à ligne ; seule l'empreinte prouve un fichier.",
        "A printed document is compared line by line; only the hash proves a file.",
    ),
}


def words(key: str, language: Language, **values: object) -> str:
    """A text with its values.

    Raises:
        KeyError: there is no such text, or a value is missing.
    """
    return WORDS[key].in_language(language).format_map(values)
