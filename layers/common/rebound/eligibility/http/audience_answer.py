"""The shape of the answer to "Whom would this reach?"."""

from typing import Self

from rebound.campaigns.domain.campaigns import Audience
from rebound.platform.http.shapes import Answer


class AudienceAnswer(Answer):
    """Who is meant and who is left: ``matched`` = ``targeted`` + the sum of ``excluded``."""

    matched: int
    excluded: dict[str, int]
    targeted: int

    @classmethod
    def of(cls, audience: Audience) -> Self:
        """The answer for an audience."""
        excluded = {reason: count for reason, count in sorted(audience.excluded.items()) if count}
        return cls(matched=audience.matched, excluded=excluded, targeted=audience.targeted)
