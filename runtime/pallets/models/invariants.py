"""What must hold in the registry after every block; needs a state that can be listed."""

from chain.primitives.keys import Address
from runtime.pallets.models.control import needed
from runtime.pallets.models.lineage import ROYALTIES_PARTS_MAX
from runtime.pallets.models.store import Store
from runtime.pallets.models.stored import CHANNELS_MAX, Model, Multisig, Place, Status, Version


def check_store(store: Store) -> dict[Address, int]:
    """Assert that the parts agree; gives what must be set aside in each account."""
    queued = [(each.model, each.version) for each in (*store.waiting.get(), *store.ready.get())]
    assert len(set(queued)) == len(queued), "a version waits twice"
    deposits: dict[Address, int] = {}
    models = dict(store.models.items())
    names = dict(store.names.items())
    assert sorted(names) == list(range(store.count.get())), "names are counted wrongly"
    assert {model.number: name for name, model in models.items()} == names
    for name, model in models.items():
        versions = {number: each for (_, number), each in store.versions.under(name)}
        _check_versions(model, versions)
        for number, each in versions.items():
            assert ((name, number) in queued) == (each.status == Status.PENDING)
        _check_channels(store, name, model)
        _check_approvals(store, name, model)
        kept = model.deposit + sum(each.deposit for each in versions.values())
        deposits[model.owner] = deposits.get(model.owner, 0) + kept
    _check_moves(store)
    return deposits


def _check_versions(model: Model, versions: dict[int, Version]) -> None:
    assert sorted(versions) == list(range(1, model.versions + 1))
    active = [each for each in versions if versions[each].status == Status.ACTIVE]
    assert sorted(active) == list(model.active)
    kept = [each for each in versions.values() if each.status != Status.RETIRED]
    assert len(kept) == model.unretired
    assert model.deposit or not kept, "a name was given up too early"
    for each in versions.values():
        assert sum(royalty.parts for royalty in each.royalties) <= ROYALTIES_PARTS_MAX


def _check_channels(store: Store, name: str, model: Model) -> None:
    assert len({each.name for each in model.channels}) == len(model.channels) <= CHANNELS_MAX
    for channel in model.channels:
        history = store.histories[name, channel.name]
        held = [each.version for each in history.held]
        assert len(set(held)) == len(held)
        assert set(held) <= set(model.active)
        if channel.version is not None:
            assert held[-1] == channel.version, "a channel does not remember its version"
    channels = {each.name for each in model.channels}
    assert {each for (_, each), _ in store.histories.under(name)} <= channels


def _check_approvals(store: Store, name: str, model: Model) -> None:
    approvals = store.approvals.find(name)
    if approvals is None:
        return
    authority = model.control.authority
    assert isinstance(authority, Multisig), "approvals where nobody needs them"
    signatories = [each.signatory for each in approvals]
    assert len(set(signatories)) == len(signatories) > 0
    assert set(signatories) <= set(authority.signatories)
    for each in approvals:
        same = sum(other.action == each.action for other in approvals)
        assert same < needed(authority, each.action), "a decision was not carried out"


def _check_moves(store: Store) -> None:
    scoring = store.scoring.get()
    agenda = dict(store.agenda.items())
    placed = [*scoring, *(place for places in agenda.values() for place in places)]
    assert len(set(placed)) == len(placed), "a move has two places"
    opened = []
    for name, moves in store.moves.items():
        assert moves, "an empty list of moves is kept"
        for move in moves:
            place = Place(name, move.channel)
            opened.append(place)
            assert place in (scoring if move.due is None else agenda[move.due])
            assert move.version is None or move.version in store.models[name].active
    assert sorted(opened, key=repr) == sorted(placed, key=repr)
