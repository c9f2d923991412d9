from shop.customers import Customer

ADA = Customer(
    "Ada", "Byron", middle_name="King", email="Ada@Example.org", order_ids=["o-1", "o-7"]
)
JOE = Customer("Joe", "Doe")


def test_middle_names_are_optional():
    assert ADA.full_name() == "Ada King Byron"
    assert JOE.full_name() == "Joe Doe"


def test_initials_are_upper_case():
    assert ADA.initials() == "AKB"
    assert Customer("ada", "byron", middle_name=" king ").initials() == "AKB"


def test_customers_without_an_address_get_no_newsletter():
    assert ADA.mailing_line() == "Ada King Byron <ada@example.org>"
    assert JOE.mailing_line() == ""


def test_new_customers_have_no_latest_order():
    assert ADA.latest_order() == "o-7"
    assert JOE.latest_order() is None
