"""The residences of an operator's lists, compared with those that are stored.

In: lines of residences, and what other lines name. Out: the number and the zone of each residence, faults,
and the rows. Two rules hold here. A residence that is new has a number below zero until it is stored, so the
lists can be checked before anything is written. Codes are compared as residents' are at sign-up: `aa 001` and
`AA-001` are AA001, and a new one is stored so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient

from core.errors import InvalidInput
from core.metering import Registry, normalise_serial
from core.models import Operator, Residence
from core.operator_files import check_code
from core.services.portfolio.portfolio_lists import (
    DwellingPlace,
    Fault,
    ListedResidence,
    Lists,
    Place,
    line_of,
)
from core.services.portfolio.suggestions import did_you_mean
from core.services.portfolio.validation import (
    can_be_stored,
    check_billing_start,
    check_zone,
    checked_price,
    misfits,
    postcode_fault,
)
from core.services.shared.many_rows import insert_rows, slices, update_rows

_TEXTS: Final = ("name", "street", "postcode", "city")
_GIVEN: Final = (
    *(*_TEXTS, "time_zone", "remote_reading", "resident_portal_option", "water_price_eur_per_m3"),
    *("billing_starts", "weather_station"),
)

_STORED: Final = ("code", *_TEXTS, "weather_station")
_CHECKS: Final = (
    ("time_zone", check_zone),
    ("water_price_eur_per_m3", checked_price),
    ("billing_starts", check_billing_start),
)

_Code = tuple[str, str]
"""Of an operator, and of its residence."""


@dataclass(slots=True)
class Residences:
    """The residences that lists name.

    Attributes:
        registry: whose operators say what their codes look like.
        faults: of their lines.
    """

    registry: Registry
    faults: list[Fault] = field(default_factory=list)
    _operators: dict[str, Operator] = field(default_factory=dict)
    _known_operators: set[str] = field(default_factory=set)
    _rows: dict[_Code, Residence] = field(default_factory=dict)
    _spelled: dict[_Code, str] = field(default_factory=dict)
    """The code as it is stored, by operator and the code as it is read at sign-up."""
    _numbers: dict[_Code, int] = field(default_factory=dict)
    _changed: set[_Code] = field(default_factory=set)
    _first: dict[_Code, Place] = field(default_factory=dict)

    @classmethod
    async def of(cls, connection: BaseDBAsyncClient, lists: Lists, registry: Registry) -> "Residences":
        """Those that are stored, and those that the lists describe."""
        found = cls(registry)
        codes_known = await Operator.all().using_db(connection).values_list("code", flat=True)
        found._known_operators |= {str(code) for code in codes_known}
        named = {home.operator for home in lists.homes} | {line.operator for line in lists.residences}
        codes = sorted(code for code in named if can_be_stored(Operator, "code", code))
        for some in slices(codes):
            for operator in await Operator.filter(code__in=some).using_db(connection):
                found._operators[operator.code] = operator
        by_id = {operator.id: operator.code for operator in found._operators.values()}
        for row in await Residence.filter(operator_id__in=list(by_id)).using_db(connection):
            found._rows[by_id[row.operator_id], row.code] = row
            found._numbers[by_id[row.operator_id], row.code] = row.id
            found._spelled.setdefault((by_id[row.operator_id], normalise_serial(row.code)), row.code)
        for line in lists.residences:
            found._put(line)
        return found

    def get(self, home: DwellingPlace) -> tuple[int, ZoneInfo] | None:
        """The number and the zone of a dwelling's residence; None where it is neither stored nor listed."""
        code = self._code(home.operator, home.residence)
        number = self._numbers.get(code)
        return None if number is None else (number, ZoneInfo(self._rows[code].time_zone))

    def operator_id(self, home: DwellingPlace) -> int | None:
        """The number of a dwelling's operator; None of one that is new or not known."""
        operator = self._operators.get(home.operator)
        return None if operator is None else operator.id

    def place(self, home: DwellingPlace) -> DwellingPlace:
        _, code = self._code(home.operator, home.residence)
        return home if code == home.residence else home._replace(residence=code)

    def placed(self, lists: Lists) -> Lists:
        """The lists with the codes of residences as they are stored."""
        found = replace(lists)
        found.dwellings = [replace(line, home=self.place(line.home)) for line in lists.dwellings]
        found.meters = [replace(line, home=self.place(line.home)) for line in lists.meters]
        found.occupancies = [replace(line, home=self.place(line.home)) for line in lists.occupancies]
        return found

    def _code(self, operator: str, residence: str) -> _Code:
        """The code as it is stored or listed, however it is spelled; as it is where it is not known."""
        if (operator, residence) in self._rows:
            return operator, residence
        return operator, self._spelled.get((operator, normalise_serial(residence)), residence)

    def unknown(self, home: DwellingPlace) -> tuple[str, str, str]:
        """Column, value and reason of a residence that is neither stored nor listed."""
        if not any(operator == home.operator for operator, _ in self._numbers):
            near = did_you_mean(home.operator, self._known_operators - {home.operator})
            return "operator", home.operator, f"no operator has this code{near}"
        codes = {code for operator, code in self._numbers if operator == home.operator}
        return (
            "residence",
            home.residence,
            f"operator {home.operator} has no such residence{did_you_mean(home.residence, codes)}",
        )

    async def store(self, connection: TransactionalDBClient) -> None:
        """Write what the lists change; residences that were new have their numbers then."""
        new_operators = [operator for operator in self._operators.values() if operator.id is None]
        renamed = [operator for operator in self._operators.values() if operator.id is not None]
        await insert_rows(connection, new_operators)
        await update_rows(connection, renamed, ("name",))
        codes = list(self._operators)
        for operator in await Operator.filter(code__in=codes).using_db(connection):
            self._operators[operator.code] = operator
        changed = [(code, self._rows[code]) for code in sorted(self._changed)]
        for (operator_code, _), row in changed:
            row.operator_id = self._operators[operator_code].id
        await update_rows(connection, [row for _, row in changed if row.id is not None], _GIVEN)
        await insert_rows(connection, [row for _, row in changed if row.id is None])
        by_id = {operator.id: operator.code for operator in self._operators.values()}
        for row in await Residence.filter(operator_id__in=list(by_id)).using_db(connection):
            code = (by_id[row.operator_id], row.code)
            self._rows[code], self._numbers[code] = row, row.id

    def _put(self, line: ListedResidence) -> None:
        before = len(self.faults)
        if line.operator:
            self._put_operator(line)
        code = self._code(line.operator, line.code)
        row = self._rows.get(code)
        is_new = row is None
        self._check(line, is_new=is_new, time_zone=row.time_zone if row else "Europe/Paris")
        if not line.operator or not line.code:
            return
        if is_new:
            code = (line.operator, normalise_serial(line.code))
            self._check_code(line, code)
        first = self._first.setdefault(code, line.at)
        if first != line.at:
            self._report(line, "code", line.code, f"the same residence as in {line_of(first, line.at)}")
            return
        row = row or Residence(code=code[1], time_zone=line.time_zone or "Europe/Paris")
        self._spelled.setdefault((line.operator, normalise_serial(line.code)), code[1])
        if len(self.faults) == before:
            values = {name: getattr(line, name) for name in _GIVEN}
            for name, value in values.items():
                if value is not None and getattr(row, name) != value:
                    setattr(row, name, value)
                    self._changed.add(code)
            if is_new:
                self._changed.add(code)
        elif is_new:
            row.time_zone = "Europe/Paris"  # what belongs to it is checked all the same
        self._rows[code] = row
        self._numbers.setdefault(code, -1 - len(self._numbers))

    def _put_operator(self, line: ListedResidence) -> None:
        operator = self._operators.get(line.operator)
        if operator is None and line.operator_name is None:
            near = did_you_mean(line.operator, self._known_operators - {line.operator})
            reason = f"no operator has this code; give its operator_name if it is new{near}"
            self._report(line, "operator", line.operator, reason)
        elif operator is None:
            self._report_misfits(line, Operator, {"name": line.operator_name}, "operator_")
            self._check_operator(line)
            self._operators[line.operator] = Operator(code=line.operator, name=line.operator_name)
        elif line.operator_name is not None and operator.name != line.operator_name:
            self._report_misfits(line, Operator, {"name": line.operator_name}, "operator_")
            operator.name = line.operator_name

    def _check_operator(self, line: ListedResidence) -> None:
        """The code of an operator that is new."""
        same = [code for code in self._known_operators if code.casefold() == line.operator.casefold()]
        if same:
            reason = f"there is an operator {same[0]!r}: write its code as it is"
            self._report(line, "operator", line.operator, reason)
            return
        try:
            check_code(line.operator)
        except InvalidInput as failure:
            self._report(line, "operator", line.operator, failure.message)

    def _check_code(self, line: ListedResidence, code: _Code) -> None:
        """The code of a residence that is new, as residents will type it."""
        profile = self.registry.profile(line.operator)
        if not code[1]:
            self._report(line, "code", line.code, "has no letter and no digit")
        elif profile is not None and not profile.residence_code.matches(code[1]):
            example = profile.residence_code.example
            reason = f"residents could not register with it: a code of {line.operator} looks like {example}"
            self._report(line, "code", line.code, reason)

    def _check(self, line: ListedResidence, *, is_new: bool, time_zone: str) -> None:
        for name in _TEXTS:
            if is_new and getattr(line, name) is None:
                self._report(line, name, None, "is empty")
        self._report_misfits(line, Residence, {name: getattr(line, name) for name in _STORED})
        reason = postcode_fault(line.postcode, line.time_zone or time_zone)
        if reason and can_be_stored(Residence, "postcode", line.postcode):
            self._report(line, "postcode", line.postcode, reason)
        for name, check in _CHECKS:
            value = getattr(line, name)
            if value is None:
                continue
            try:
                check(value)
            except InvalidInput as failure:
                self._report(line, name, value, failure.message)

    def _report_misfits(
        self,
        line: ListedResidence,
        model: type[Operator | Residence],
        values: Mapping[str, str | None],
        prefix: str = "",
    ) -> None:
        for failure in misfits(model, values):
            name = failure.field or ""
            self._report(line, f"{prefix}{name}", values[name], failure.message)

    def _report(self, line: ListedResidence, column: str, value: object, reason: str) -> None:
        self.faults.append(Fault(line.at, column, "" if value is None else str(value), reason))
