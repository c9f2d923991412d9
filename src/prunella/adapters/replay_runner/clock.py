"""(written below)"""


def freeze(epoch_us: int) -> None:
    """(written below)"""
