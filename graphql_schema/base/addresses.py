"""Where a residence is: the same four fields wherever one is shown."""

import strawberry


@strawberry.interface(description="The name and address of a residence.")
class ResidenceAddress:
    name: str
    street: str
    postcode: str
    city: str
