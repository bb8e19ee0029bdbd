"""`submeter operators`: operators whose sign-up is described by a file instead of a plugin."""

import json
from typing import Literal

from cyclopts import App

from core.access import SYSTEM
from core.errors import InvalidInput
from core.operator_files import path_of, sign_up_faults, write
from core.services.portfolio.operators import list_operators
from core.settings import from_environment
from submeter.application import opened
from submeter.output import counted, out, print_json, print_table

operators = App(name="operators", help="Operators, and whether their residents can register.")


@operators.command
def add(
    code: str,
    name: str,
    *,
    contact_email: str,
    privacy_url: str,
    portal_name: str = "",
    portal_url: str = "",
    activation: Literal["EMAIL_CODE", "TEMPORARY_PASSWORD"] = "EMAIL_CODE",
) -> None:
    """Describe an operator, so that residents of its published residences can register.

    A file is written, in the folder `operators` of the data folder, with every other setting and its default
    as a comment. Servers and workers read it when they are started.

    Args:
        code: the operator's code, as its residences name it.
        name: the company's name as shown to residents.
        contact_email: who answers residents' questions.
        privacy_url: the page that says how personal data are processed.
        portal_name: what residents know the portal by (default: the name).
        portal_url: where residents sign in (default: SUBMETER_PORTAL_URL, else this server).
        activation: how a mailbox is proved: by six digits, or by a temporary password.
    """
    settings = from_environment()
    given = {"name": name, "portal_name": portal_name, "portal_url": portal_url, "activation": activation}
    lines = [f"{key} = {_quoted(value)}" for key, value in given.items() if value]
    path = write(
        settings,
        code,
        _TEMPLATE.format(given="\n".join(lines), email=_quoted(contact_email), url=_quoted(privacy_url)),
    )
    out.print(f"{path} is written: residents of {code} can register once a residence is published.")
    out.print("Servers that are running read it when they are restarted.")


@operators.command
def check(code: str) -> None:
    """Check the file of an operator; each value that is missing or wrong is named. Exit status 1 if one is.

    Args:
        code: the operator's code.
    """
    from core.operator_files import load_plugins  # noqa: PLC0415 - loads all plugins, for this command alone

    settings = from_environment()
    faults = sign_up_faults(load_plugins(settings), settings, code)
    if faults:
        raise InvalidInput("; ".join(faults), field=code)
    out.print(f"Residents of {code} can register.")


@operators.command(name="list")
async def list_known(*, json: bool = False) -> None:
    """List the operators: those with residences, plugins and files.

    Args:
        json: print the list as JSON.
    """
    async with opened() as application:
        stored = await list_operators(SYSTEM)
        registry, settings = application.registry, application.settings
        sources = {loaded.profile.code: loaded.plugin for loaded in registry.operators}
        rows = [
            {
                "operator": code,
                "name": stored.get(code) or (profile.name if (profile := registry.profile(code)) else ""),
                "residences": code in stored,
                "described_by": sources.get(code),
                "portal": application.portal_link(code) if code in sources else None,
                "lacks": list(sign_up_faults(registry, settings, code)),
            }
            for code in sorted(stored.keys() | sources.keys())
        ]
    if json:
        print_json(rows)
        return
    columns = ("operator", "name", "described_by", "portal", "lacks")
    shown = [
        [
            "; ".join(value) if isinstance(value, list) else value
            for value in (row[column] for column in columns)
        ]
        for row in rows
    ]
    print_table(counted(len(rows), "operator"), columns, shown)


@operators.command
def path(code: str) -> None:
    """Print the path of an operator's file, for an editor.

    Args:
        code: the operator's code.
    """
    out.print(str(path_of(from_environment(), code)), markup=False, soft_wrap=True)


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


_TEMPLATE = """\
# How residents of this operator register. Everything that is commented out has the value that is shown, or is
# described by it; docs/operator-profiles.md says more. `submeter operators check` names what is wrong.

{given}

#residence_paths = ["SITE_CODE", "ADDRESS"]        # also BUILDING_CODE, SERIAL
#dwelling_paths = ["SERIAL", "LOT_NUMBER"]         # also DWELLING_REFERENCE
#residence_code = {{ pattern = "[0-9A-Z]{{1,16}}", example = "AA001" }}
#serial_example = "12345678"
#strict_nine_digit_serial = false                  # whether any other printed number is refused
#move_in = "OPTIONAL"                              # also NO, REQUIRED
#non_occupant_owners = false                       # whether owners who live elsewhere may register
#one_account_per_dwelling = true
#one_dwelling_per_account = true
#newsletter = false
#registration_hours = 24                           # after which an unfinished request is deleted
#look_back_days = 365                              # how long a former occupant sees the own period
#terms_version = "1"                               # of terms of use, accepted before data are shown
#terms_url = {{ fr = "https://…", en = "https://…" }} # where they are read; terms_text if there is no page
#consent_version = "1"                             # of the text of the manager's consent

[contact]
email = {email}
#name = ""
#phone = ""
#address = ""
#website = "https://…"

[privacy]
url = {url}
#version = ""                                      # without one it changes with every edit
#purpose = {{ fr = "…", en = "…" }}                  # also legal_basis, retention, rights, contact

[password]
#minimum_characters = 12
#classes = ["LOWER", "UPPER", "DIGIT"]             # also SPECIAL

[leaks]
#level_1_lph = 4
#level_2_lph = 8
#level_3_lph = 12
#over_range_above_lph = 20

[notes]                                            # the notes on consumption, beside heat and hot water
#fluids = ["COLD_WATER"]
#prices = {{ fr = "…", en = "…" }}                 # in the annual note; so are the next four
#energy_mix = {{ fr = "…", en = "…" }}
#consumer_bodies = {{ fr = "…", en = "…" }}
#complaints = {{ fr = "…", en = "…" }}
#cost_allocation = {{ fr = "…", en = "…" }}

#[[help]]                                          # where to find the number on a meter; several
#title = {{ fr = "…", en = "…" }}
#items = [{{ fr = "…", en = "…" }}]

[texts]                                            # words of your own, by their keys
#page.title = {{ fr = "Créer votre compte", en = "Create your account" }}
"""
