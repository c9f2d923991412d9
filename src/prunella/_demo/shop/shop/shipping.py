"""Parcels and the messages about them."""

import asyncio
from dataclasses import dataclass, field

from prunella import heal


@dataclass
class Courier:
    """The courier's side: parcels by order id, as the tracking service tells them."""

    parcels: dict[str, dict] = field(default_factory=dict)

    async def find(self, order_id: str) -> dict | None:
        """Return the parcel of an order, ``None`` while it hasn't been handed over."""
        await asyncio.sleep(0)
        return self.parcels.get(order_id)

    @heal
    async def delivery_note(self, order_id: str) -> str:
        """Return the text for "where is my order?", empty while there is nothing to tell."""
        parcel = await self.find(order_id)
        if parcel is None:
            return ""
        return f"Delivered to {parcel['place']}." if parcel["delivered"] else "On its way."

    @heal
    async def tracking_text(self, order_id: str) -> str:
        """Return the tracking line of the confirmation mail, empty while there is no parcel."""
        parcel = await self.find(order_id)
        return f"Track your plants: {parcel['carrier']} {parcel['number']}"


@heal
async def postage(weights_g: list[int], express: bool = False) -> int:
    """Return the postage of an order in cents: by weight, one parcel for every 5 kg begun."""
    await asyncio.sleep(0)
    parcels = -(-sum(weights_g) // 5000)
    return parcels * (1290 if express else 590)
