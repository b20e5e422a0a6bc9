"""Overlay: layers, and a comparison with copied dictionaries."""

from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import U32
from runtime.frame import Overlay, Pallet, StorageMap, StorageValue


class Box(Pallet):
    """A map and a value."""

    entries = StorageMap(U32, U32, default=0)
    single = StorageValue(U32, default=0)


def test_a_layer_taken_back_leaves_nothing() -> None:
    state = Overlay.over({})
    box = Box(state)
    box.entries[1] = 1
    before = state.changes()
    state.begin()
    box.entries[1] = 2
    box.entries[2] = 2
    box.single.set(3)
    state.results.append(b"r")
    state.contents.append((b"root", b"bytes"))
    state.rollback()

    told = state.results, state.contents
    assert (state.changes(), told, box.single.get()) == (before, ([], []), 0)


def test_layers_nest() -> None:
    state = Overlay.over({})
    box = Box(state)
    state.begin()
    box.entries[1] = 1
    state.begin()
    box.entries[1] = 2
    state.commit()
    assert box.entries[1] == 2
    state.rollback()

    assert box.entries[1] == 0
    assert state.changes() == {}


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["begin", "commit", "rollback"]),
        st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 9))),
    ),
    max_size=40,
)


@given(STEPS)
def test_layers_are_copies(steps: list[str | tuple[int, int | None]]) -> None:
    base = {Box.entries.raw_key(0): U32.encode(5)}
    state, model, layers = Overlay.over(base), {0: 5}, []
    box = Box(state)
    for step in steps:
        if step == "begin":
            state.begin()
            layers.append(dict(model))
        elif isinstance(step, str):
            if layers:
                getattr(state, step)()
                kept = layers.pop()
                model = kept if step == "rollback" else model
        else:
            key, value = step
            if value is None:
                del box.entries[key]
                model.pop(key, None)
            else:
                box.entries[key] = model[key] = value
        assert dict(box.entries.items()) == model
        assert {key: box.entries.find(key) for key in range(4)} == {
            key: model.get(key) for key in range(4)
        }
