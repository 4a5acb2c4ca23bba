"""content.poster.stream and cutting: rows put together are the rows that were, and a cut never goes through a block."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from content.poster import cutting, stream


def noise(height: int, width: int = 36) -> Image.Image:
    return Image.effect_noise((width, height), 90).convert("RGB")


def test_an_upper_part_is_used_as_it_is_by_all() -> None:
    above = noise(70)
    upper = stream.begin(above)
    for below in (noise(20), noise(1), Image.new("RGB", (36, 50), "white")):
        data = stream.finish(upper, below)
        assert upper.idat in data
        with Image.open(io.BytesIO(data)) as made:
            made.load()
            assert made.size == (36, 70 + below.height)
            assert not ImageChops.difference(made.crop((0, 0, 36, 70)), above).getbbox()
            assert not ImageChops.difference(made.crop((0, 70, *made.size)), below).getbbox()
    with Image.open(io.BytesIO(stream.whole(above))) as made:
        assert not ImageChops.difference(made, above).getbbox()


rows = st.lists(st.integers(1, 20_000), max_size=60).map(sorted)


@settings(max_examples=100)
@given(height=st.integers(1, 20_000), panels=rows, blocks=rows)
def test_cuts_go_between_and_reach_the_end(height: int, panels: list[int], blocks: list[int]) -> None:
    found = cutting.cuts(height, panels, blocks)
    assert found[-1] == height
    assert found == sorted(set(found))
    assert set(found[:-1]) <= set(panels) | set(blocks)
    for start, end in zip([0, *found], found, strict=False):
        if end - start > cutting.LONGEST:  # then there was nowhere to cut
            inside = [
                row
                for row in (*panels, *blocks)
                if start + cutting.LONGEST // 4 <= row <= start + cutting.LONGEST
            ]
            assert not inside


def test_panels_are_preferred_to_blocks() -> None:
    assert cutting.cuts(5000, [2000, 4000], [2399, 4399]) == [2000, 4000, 5000]
    assert cutting.cuts(5000, [], [2399]) == [2399, 5000]
    assert cutting.cuts(9000, [8000], []) == [8000, 9000]
