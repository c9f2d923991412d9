"""The people who buy."""

from dataclasses import dataclass, field

from prunella import heal


@dataclass
class Customer:
    """A customer as the web form saved them; fields that were left open are ``None``."""

    first_name: str
    last_name: str
    middle_name: str | None = None
    email: str | None = None
    order_ids: list[str] = field(default_factory=list)

    def full_name(self) -> str:
        parts = (self.first_name, self.middle_name, self.last_name)
        return " ".join(part for part in parts if part)

    @heal
    def initials(self) -> str:
        """Return the letters on the picking list, ``"AKB"`` for Ada King Byron."""
        letters = ""
        for name in (self.first_name, self.middle_name, self.last_name):
            letters += name.strip()[0].upper()
        return letters

    @heal
    def mailing_line(self) -> str:
        """Return the line for the newsletter tool, empty for customers without an address."""
        if self.email is None:
            return ""
        return f"{self.full_name()} <{self.email.lower()}>"

    @heal
    def latest_order(self) -> str | None:
        """Return the id of the order placed last, ``None`` before the first one."""
        if not self.order_ids:
            return None
        return self.order_ids[-1]
