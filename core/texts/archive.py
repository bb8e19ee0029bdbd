"""What stands in an archive of somebody's data beside the data: how to read it, in French and English.

In: the tables that are left out. Out: a text. The one rule: both languages say the same.
"""

from typing import Final

README: Final = """\
VOS DONNÉES
Ce fichier contient toutes les données à caractère personnel que nous conservons sur vous : chaque
table une fois en JSON (dossier json) et une fois en CSV (dossier csv, encodé en UTF-8). Les heures
sont en UTC ou en secondes depuis le 1er janvier 1970 (colonnes read_at, received_at et *_s), les
jours sont ceux de la résidence (20261122 : le 22 novembre 2026). Les quantités sont en litres, en
wattheures ou en unités de répartition. Qualité d'un jour : M mesuré, E estimé, P partiel. Seuls les
jours de votre propre occupation y figurent. Les mots de passe, clés et codes n'y figurent pas. Les
tables laissées de côté, et pourquoi, suivent.

YOUR DATA
This file contains all personal data that we keep of you: each table once as JSON (folder json) and once as
CSV (folder csv, in UTF-8). Times are in UTC or in seconds since 1 January 1970 (columns read_at, received_at
and *_s), days are those of the residence (20261122: 22 November 2026). Amounts are in litres, watt-hours or
allocator units. Quality of a day: M measured, E estimated, P partial. Only the days of your own occupancy
are in it. Passwords, keys and codes are not in it. The tables that are left out, and why:

{left_out}
"""
