"""The viewer's account: contact data, notifications, terms, confirmed addresses (R-097 to R-111)."""

from typing import Annotated, TypeAlias

import strawberry

from core.services.accounts.account import (
    Contact,
    NotificationTopic,
    accept_terms,
    change_contact,
    choose_newsletter,
    choose_notification,
)
from core.services.accounts.contact_verification import (
    confirm_email_change,
    confirm_phone,
    request_email_change,
    request_phone_code,
)
from core.services.alerts.slow_leak_hints import choose_slow_leak_hints
from graphql_schema.accounts.viewer import Viewer
from graphql_schema.base.context import Context, Info
from graphql_schema.base.enums import Civility, Language
from graphql_schema.base.refusals import CodeInvalid, RateLimited, RequestRefused, answered


@strawberry.input(
    description="Fields that are left out are unchanged; a blank phone number removes the number."
)
class ContactInput:
    civility: Civility | None = strawberry.field(
        default=strawberry.UNSET, description="Null removes the form of address."
    )
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    language: Language | None = None


@strawberry.type(description="The change was saved; `viewer` is the updated account.")
class AccountChanged:
    viewer: Viewer | None = strawberry.field(
        description="The account; null, with the state as error code, if a field of it is selected that the "
        "session's state does not allow yet."
    )


@strawberry.type(description="A six-digit code was sent. It is valid for 15 minutes and five attempts.")
class CodeSent:
    to: str = strawberry.field(description="The e-mail address or phone number that it was sent to.")


ChangeAccountResult: TypeAlias = Annotated[
    AccountChanged | RequestRefused, strawberry.union("ChangeAccountResult")
]
RequestCodeResult: TypeAlias = Annotated[
    CodeSent | RequestRefused | RateLimited, strawberry.union("RequestCodeResult")
]
ConfirmResult: TypeAlias = Annotated[
    AccountChanged | CodeInvalid | RequestRefused | RateLimited, strawberry.union("ConfirmResult")
]


@strawberry.type
class AccountMutation:
    @answered("Save changed contact data. A new phone number has to be confirmed.")
    async def update_contact(
        self,
        info: Info,
        input: ContactInput,  # noqa: A002 - the argument's name in the schema
    ) -> ChangeAccountResult:
        context = info.context
        contact = Contact(
            civility=_text_of(input.civility),
            first_name=input.first_name,
            last_name=input.last_name,
            phone=input.phone,
            language=input.language,
        )
        await change_contact(await context.viewer(), contact, visitor=context.visitor, now=context.now)
        return await _changed(context)

    @answered("Switch the channels of a topic on or off; a channel that is left out is unchanged.")
    async def choose_notification(
        self,
        info: Info,
        topic: NotificationTopic,
        by_email: bool | None = None,  # noqa: FBT001 - a switch
        by_sms: bool | None = None,  # noqa: FBT001 - a switch
    ) -> ChangeAccountResult:
        context = info.context
        await choose_notification(
            await context.viewer(),
            topic,
            by_email=by_email,
            by_sms=by_sms,
            visitor=context.visitor,
            now=context.now,
        )
        return await _changed(context)

    @answered("Subscribe to the operator's newsletter, or unsubscribe.")
    async def choose_newsletter(self, info: Info, wished: bool) -> ChangeAccountResult:  # noqa: FBT001 - a switch
        context = info.context
        await choose_newsletter(
            context.application,
            await context.viewer(),
            wished=wished,
            visitor=context.visitor,
            now=context.now,
        )
        return await _changed(context)

    @answered(
        "Switch hints about slow leaks on or off: an e-mail, not an alert, when a flow below the levels of "
        "leak alerts has not paused for ten days."
    )
    async def choose_slow_leak_hints(self, info: Info, wished: bool) -> ChangeAccountResult:  # noqa: FBT001 - a switch
        context = info.context
        await choose_slow_leak_hints(
            await context.viewer(), wished=wished, visitor=context.visitor, now=context.now
        )
        return await _changed(context)

    @answered("Accept the terms of use in force. `version` is the version that the user has read.")
    async def accept_terms(self, info: Info, version: str) -> ChangeAccountResult:
        context = info.context
        viewer = await context.viewer()
        await accept_terms(context.application, viewer, version, visitor=context.visitor, now=context.now)
        return await _changed(context)

    @answered("Send a code to a new e-mail address; requires the current password.")
    async def request_email_change(self, info: Info, email: str, password: str) -> RequestCodeResult:
        context = info.context
        viewer = await context.viewer()
        await request_email_change(
            context.application, viewer, email, password, visitor=context.visitor, now=context.now
        )
        return CodeSent(to=email.strip())

    @answered("Change to the e-mail address that the code was sent to. The former address is notified.")
    async def confirm_email_change(self, info: Info, code: str) -> ConfirmResult:
        context = info.context
        viewer = await context.viewer()
        await confirm_email_change(
            context.application, viewer, code, visitor=context.visitor, now=context.now
        )
        return await _changed(context)

    @answered("Send a code by SMS to the account's mobile number.")
    async def request_phone_code(self, info: Info) -> RequestCodeResult:
        context = info.context
        await request_phone_code(
            context.application, await context.viewer(), visitor=context.visitor, now=context.now
        )
        return CodeSent(to=(await context.account()).phone_e164 or "")

    @answered("Confirm the mobile number that the code was sent to; SMS alerts can be switched on from then.")
    async def confirm_phone(self, info: Info, code: str) -> ConfirmResult:
        context = info.context
        viewer = await context.viewer()
        await confirm_phone(context.application, viewer, code, visitor=context.visitor, now=context.now)
        return await _changed(context)


def _text_of(civility: Civility | None) -> str | None:
    """As the service takes it: None for unchanged, blank for none."""
    if civility is strawberry.UNSET:
        return None
    return civility.abbreviation if civility else ""


async def _changed(context: Context) -> AccountChanged:
    """The account, read again."""
    context.forget_viewer()
    return AccountChanged(viewer=Viewer.of(await context.account(), await context.viewer()))
