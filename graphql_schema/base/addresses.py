"""Where a residence is: the same four fields wherever one is shown."""

import strawberry


@strawberry.interface(description="A residence and where it is, whoever it is shown to.")
class ResidenceAddress:
    name: str
    street: str
    postcode: str
    city: str
