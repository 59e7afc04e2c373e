import numpy as np

from harken.audio.series import FIRST_ROOM, Series


def test_values_come_back_as_one_in_their_order():
    parts = np.split(np.arange(3 * FIRST_ROOM, dtype=np.float32), [0, 1, 700, 701, 2 * FIRST_ROOM])
    series = Series()
    for part in parts:
        series.extend(part)
    np.testing.assert_array_equal(series.finish(), np.arange(3 * FIRST_ROOM))


def test_a_part_may_be_longer_than_all_before():
    series = Series()
    series.extend(np.ones(10 * FIRST_ROOM, dtype=np.float32))
    assert series.finish().shape == (10 * FIRST_ROOM,)


def test_nothing_came_is_nothing():
    assert Series().finish().shape == (0,)
