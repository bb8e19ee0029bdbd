"""The forms of a registration as a client sends them, each under its own name.

The one rule: the names are those that `RegistrationForm` and `RegistrationField` return, so a frontend can
send any form that it was given; a test compares the two.
"""

from datetime import date

import strawberry

from core.operators import OccupancyKind
from core.registration.answers import (
    AddressAnswer,
    Answer,
    CodeAnswer,
    OccupancyAnswer,
    ReferenceAnswer,
    ResidenceAnswer,
    SerialAnswer,
    VerificationAnswer,
)
from core.registration.draft import CouncilMember
from core.registration.forms import FormName
from core.registration.machine import Attestation, Options, PersonalData, ProfileAnswer
from graphql_schema.base.enums import Civility
from graphql_schema.base.relay import number_of

strawberry.enum(CouncilMember, description="Whether the applicant is a member of the owners' council.")


@strawberry.input
class OccupancyInput:
    kind: OccupancyKind

    def filled(self) -> Answer:
        return OccupancyAnswer(self.kind)


@strawberry.input
class SiteCodeInput:
    code: str

    def filled(self) -> Answer:
        return CodeAnswer(self.code, FormName.SITE_CODE)


@strawberry.input
class BuildingCodeInput:
    code: str

    def filled(self) -> Answer:
        return CodeAnswer(self.code, FormName.BUILDING_CODE)


@strawberry.input
class AddressInput:
    postcode: str
    street: str

    def filled(self) -> Answer:
        return AddressAnswer(self.postcode, self.street)


@strawberry.input
class ResidenceInput:
    residence: strawberry.ID

    def filled(self) -> Answer:
        return ResidenceAnswer(number_of(self.residence, "Residence", field="residence"))


@strawberry.input
class SerialInput:
    serial: str
    device: str | None = None

    def filled(self) -> Answer:
        return SerialAnswer(self.serial, self.device)


@strawberry.input
class LotNumberInput:
    lot: str
    serial: str | None = None

    def filled(self) -> Answer:
        return ReferenceAnswer(self.lot, FormName.LOT_NUMBER, self.serial)


@strawberry.input
class DwellingReferenceInput:
    reference: str
    serial: str | None = None

    def filled(self) -> Answer:
        return ReferenceAnswer(self.reference, FormName.DWELLING_REFERENCE, self.serial)


@strawberry.input
class AttestationInput:
    attested: bool
    contested: bool = False
    move_in: date | None = None

    def filled(self) -> Answer:
        return Attestation(attested=self.attested, contested=self.contested, move_in=self.move_in)


@strawberry.input
class ProfileInput:
    kind: OccupancyKind | None = None
    move_in: date | None = None
    council_member: CouncilMember | None = None

    def filled(self) -> Answer:
        return ProfileAnswer(kind=self.kind, move_in=self.move_in, council_member=self.council_member)


@strawberry.input
class OptionsInput:
    leak_by_email: bool = False
    leak_by_sms: bool = False
    over_consumption_by_email: bool = False
    manager_daily_data: bool | None = strawberry.field(
        default=None, description="Null if the question was not answered, which counts as refused."
    )

    def filled(self) -> Answer:
        return Options(
            leak_by_email=self.leak_by_email,
            leak_by_sms=self.leak_by_sms,
            over_consumption_by_email=self.over_consumption_by_email,
            manager_daily_data=self.manager_daily_data,
        )


@strawberry.input
class PersonalDataInput:
    last_name: str
    first_name: str
    email: str
    civility: Civility | None = None
    phone: str | None = None
    password: str | None = None
    password_confirmation: str | None = None
    privacy_acknowledged: bool = False
    newsletter: bool = False

    def filled(self) -> Answer:
        return PersonalData(
            last_name=self.last_name,
            first_name=self.first_name,
            email=self.email,
            civility=self.civility,
            phone=self.phone,
            password=self.password,
            password_confirmation=self.password_confirmation,
            privacy_acknowledged=self.privacy_acknowledged,
            newsletter=self.newsletter,
        )


@strawberry.input
class VerificationInput:
    verification_code: str
    contested: bool = False

    def filled(self) -> Answer:
        return VerificationAnswer(self.verification_code, self.contested)


@strawberry.input(one_of=True, description="One filled-in form, under the form's `name`.")
class RegistrationAnswer:
    occupancy: OccupancyInput | None = strawberry.UNSET
    site_code: SiteCodeInput | None = strawberry.UNSET
    address: AddressInput | None = strawberry.UNSET
    residence: ResidenceInput | None = strawberry.UNSET
    building_code: BuildingCodeInput | None = strawberry.UNSET
    serial: SerialInput | None = strawberry.UNSET
    lot_number: LotNumberInput | None = strawberry.UNSET
    dwelling_reference: DwellingReferenceInput | None = strawberry.UNSET
    attestation: AttestationInput | None = strawberry.UNSET
    profile: ProfileInput | None = strawberry.UNSET
    options: OptionsInput | None = strawberry.UNSET
    personal_data: PersonalDataInput | None = strawberry.UNSET
    verification: VerificationInput | None = strawberry.UNSET

    def filled(self) -> Answer:
        """The one form that was sent."""
        answer: Answer = next(form for form in vars(self).values() if form).filled()
        return answer
