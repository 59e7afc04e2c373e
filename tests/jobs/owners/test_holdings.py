"""Whatever is held of an owner is known: how it is handed out, and how it is erased."""

from harken.jobs.owners.holdings import HOLDINGS
from harken.jobs.store.schema import METADATA

# Tables that hold nothing of anybody.
OF_NOBODY = {"harken_workers", "harken_leaders", "harken_system"}


def test_every_table_with_an_owner_is_among_what_is_held():
    """A new table has to be added to HOLDINGS: what it has is exported and erased from then on."""
    named = {table.name for table in METADATA.tables.values() if "owner" in table.c}
    assert named - {holding.table.name for holding in HOLDINGS} == set()


def test_every_table_is_of_somebody_or_of_nobody():
    """One without an owner belongs to a job, or is named above as one of nobody."""
    assert {holding.table.name for holding in HOLDINGS} | OF_NOBODY == set(METADATA.tables)
    for holding in HOLDINGS:
        assert "owner" in holding.table.c or "job_id" in holding.table.c


def test_what_refers_to_another_row_is_erased_before_it():
    """But for what goes with its job, in the transaction that erases that."""
    order = [holding.table for holding in HOLDINGS]
    for table in order:
        for key in table.foreign_keys:
            assert order.index(table) < order.index(key.column.table)


def test_bytes_in_the_storage_are_known_to_be_there():
    with_key = {table.name for table in METADATA.tables.values() if "key" in table.c}
    assert {holding.table.name for holding in HOLDINGS if holding.has_bytes} == with_key


def test_no_secret_is_handed_out():
    for holding in HOLDINGS:
        for name in ("hash", "key_hash", "secret"):
            assert name not in holding.table.c or name in holding.secret
