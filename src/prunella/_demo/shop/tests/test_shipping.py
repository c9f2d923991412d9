import asyncio

from shop.shipping import Courier, postage

COURIER = Courier(
    {
        "o-1": {"carrier": "DHL", "number": "0034", "delivered": True, "place": "letter box"},
        "o-2": {"carrier": "GLS", "number": "7781", "delivered": False},
    }
)


def test_the_note_tells_where_the_parcel_is():
    assert asyncio.run(COURIER.delivery_note("o-1")) == "Delivered to letter box."
    assert asyncio.run(COURIER.delivery_note("o-2")) == "On its way."
    assert asyncio.run(COURIER.delivery_note("o-3")) == ""


def test_the_mail_has_the_tracking_number():
    assert asyncio.run(COURIER.tracking_text("o-2")) == "Track your plants: GLS 7781"


def test_heavy_orders_need_several_parcels():
    assert asyncio.run(postage([1200, 3700])) == 590
    assert asyncio.run(postage([4000, 4000], express=True)) == 2580
