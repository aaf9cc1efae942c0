"""The order of the reference's pools: first roster order, then the order of the recorded macro."""

from __future__ import annotations

from .trace import Json, Trace


class PoolOrder:
    """The order of the current pool at each step, tracked from the first step."""

    def __init__(self, trace: Trace) -> None:
        """Start before the first pool."""
        self._steps = trace.steps
        self._roster = [unit["id"] for unit in trace.header["units"]]
        self._orders: dict[str, list[str]] = {}  # by pool, only for pools that the macro has changed

    def expected(self, index: int, members: list[str]) -> list[str]:
        """Return ``members`` of the pool at a step, in its order; call it for every step in turn."""
        step = self._steps[index]
        if index == 0 or self._is_rebuilt(self._steps[index - 1], step):
            self._orders.clear()
        pool = _pool_in_force(step)
        order = self._orders.get(pool, self._roster)
        ordered = [unit for unit in order if unit in members]
        if "macro" in step:
            chosen = step["macro"]["unit"]
            ordered = [unit for unit in ordered if unit == chosen] + [unit for unit in ordered if unit != chosen]
            self._orders[pool] = ordered
        return ordered

    @staticmethod
    def _is_rebuilt(before: Json, now: Json) -> bool:
        """Return True if pools were built between two steps: a phase began, or the last charger has
        fought.
        """
        a, b = before["at"], now["at"]
        if (a["turn"], a["player"], a["phase"]) != (b["turn"], b["player"], b["phase"]):
            return True
        return bool(a["fight_sub"] == "chargers" and b["fight_sub"] != "chargers")


def _pool_in_force(step: Json) -> str:
    """Return the name of the current pool: a phase, or in the fight phase the side of its units."""
    stage = step["at"]["fight_sub"]
    if stage is None or stage == "chargers":
        return str(stage)
    return str(stage).rpartition("_")[2]
