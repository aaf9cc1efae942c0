"""Hexes, lines and paths against plain implementations of their own, written from the definitions alone."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numba import config

from w40k_marl.rules.board import all_hexes, make_board, objectives_at, open_hexes, sees
from w40k_marl.rules.hexes import adjacent, column_of, distance, hex_at, row_of
from w40k_marl.testing import forcing

Hex = tuple[int, int]
Value = Callable[[Hex], int]


# --- the plain implementations ------------------------------------------------------------------------------


def cube(place: Hex) -> tuple[int, int, int]:
    col, row = place
    z = row - (col - (col & 1)) // 2
    return col, -col - z, z


def far(a: Hex, b: Hex) -> int:
    return max(abs(p - q) for p, q in zip(cube(a), cube(b), strict=True))


def around(place: Hex) -> list[Hex]:
    """N, NE, SE, S, SW, NW."""
    col, row = place
    if col % 2:
        steps = [(0, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)]
    else:
        steps = [(0, -1), (1, -1), (1, 0), (0, 1), (-1, 0), (-1, -1)]
    return [(col + dc, row + dr) for dc, dr in steps]


def line(a: Hex, b: Hex) -> list[Hex]:
    """Hexes of the ray from centre to centre, ends included."""
    n = far(a, b)
    found = []
    for i in range(n + 1):
        t = i / n if n else 0.0
        exact = [p + t * (q - p) for p, q in zip(cube(a), cube(b), strict=True)]
        x, y, z = (round(value) for value in exact)  # to the even integer, as the rule wants
        ex, ey, ez = (abs(r - v) for r, v in zip((x, y, z), exact, strict=True))
        if ex > ey and ex > ez:
            x = -y - z
        elif ey > ez:
            y = -x - z
        else:
            z = -x - y
        found.append((x, z + (x - (x & 1)) // 2))
    return found


def visible(walls: set[Hex], a: Hex, b: Hex) -> bool:
    return not walls & set(line(a, b)[1:-1])


def search(start: Hex, reach: int, free: set[Hex]) -> list[Hex]:
    """Hexes within ``reach`` steps through ``free``, in the order a breadth-first search finds them."""
    seen, queue, found = {start: 0}, deque([start]), []
    while queue:
        here = queue.popleft()
        if seen[here] == reach:
            continue
        for there in around(here):
            if there in free and there not in seen:
                seen[there] = seen[here] + 1
                queue.append(there)
                found.append(there)
    return found


# --- hexes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "steps"),
    [((0, 0), (3, 1), 3), ((2, 3), (7, 9), 9), ((12, 10), (2, 10), 10), ((5, 5), (5, 5), 0), ((254, 63), (0, 0), 254)],
)
def test_distance(a: Hex, b: Hex, steps: int) -> None:
    assert distance(hex_at(*a), hex_at(*b)) == distance(hex_at(*b), hex_at(*a)) == steps


def test_hex_keeps_column_and_row() -> None:
    for place in ((0, 0), (254, 63), (17, 5)):
        assert (column_of(hex_at(*place)), row_of(hex_at(*place))) == place


@pytest.mark.parametrize(
    ("place", "neighbours"),
    [
        ((4, 5), [(4, 4), (5, 4), (5, 5), (4, 6), (3, 5), (3, 4)]),
        ((5, 5), [(5, 4), (6, 5), (6, 6), (5, 6), (4, 6), (4, 5)]),
    ],
)
def test_neighbours_come_north_first_and_clockwise(play: Any, place: Hex, neighbours: list[Hex]) -> None:
    """A search of one step lists them; the hexes at distance 1 are the same ones."""
    assert around(place) == neighbours
    table = play(f"^1 Intercessor {place[0]},{place[1]}")
    assert table.destinations("1", 1) == neighbours
    board = [(col, row) for col in range(25) for row in range(21)]
    assert {other for other in board if far(place, other) == 1} == set(neighbours)
    assert all(adjacent(hex_at(*place), hex_at(*other)) == (far(place, other) <= 1) for other in board)


def test_distance_is_that_of_cubes_everywhere() -> None:
    random = np.random.default_rng(1)
    for _ in range(2000):
        a, b = ((int(random.integers(255)), int(random.integers(64))) for _ in range(2))
        assert distance(hex_at(*a), hex_at(*b)) == far(a, b)


# --- lines and sight ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "path"),
    [
        ((0, 0), (3, 3), [(0, 0), (1, 0), (1, 1), (2, 2), (2, 3), (3, 3)]),
        ((1, 1), (3, 2), [(1, 1), (2, 2), (3, 2)]),
        ((0, 0), (4, 0), [(0, 0), (1, -1), (2, 0), (3, 0), (4, 0)]),
        ((4, 10), (9, 3), [(4, 10), (5, 9), (5, 8), (6, 8), (6, 7), (7, 6), (7, 5), (8, 5), (8, 4), (9, 3)]),
    ],
)
def test_lines(a: Hex, b: Hex, path: list[Hex]) -> None:
    """The plain line is the published one, and a wall on any hex between the ends blocks sight, beside it not."""
    assert line(a, b) == path
    beside = {cell for place in path for cell in around(place)} - {a, b}
    for col, row in sorted(beside):
        if 0 <= col < 11 and 0 <= row < 11:
            board = make_board(11, 11, frozenset({(col, row)}), [])
            assert sees(board, hex_at(*a), hex_at(*b)) == ((col, row) not in path)


def test_line_differs_by_direction_through_rounding() -> None:
    """(17,16) to (6,0) passes (9,5), the way back passes (10,5): doubles, kept as they are (K7)."""
    there, back = (17, 16), (6, 0)
    assert (9, 5) in line(there, back)
    assert (10, 5) not in line(there, back)
    assert (10, 5) in line(back, there)
    board = make_board(25, 21, frozenset({(9, 5)}), [])
    assert not sees(board, hex_at(*there), hex_at(*back))
    assert sees(board, hex_at(*back), hex_at(*there)) == ((9, 5) not in line(back, there))


@pytest.mark.parametrize("seed", range(6))
def test_sight_of_random_boards(seed: int) -> None:
    random = np.random.default_rng(seed)
    cols, rows = int(random.integers(1, 14)), int(random.integers(1, 14))
    cells = [(col, row) for col in range(cols) for row in range(rows)]
    walls = {cell for cell in cells if random.random() < 0.12}
    board = make_board(cols, rows, frozenset(walls), [])
    wrong = [(a, b) for a in cells for b in cells if sees(board, hex_at(*a), hex_at(*b)) != visible(walls, a, b)]
    assert wrong == []


@pytest.mark.skipif(config.DISABLE_JIT, reason="a board of 266 million pairs of hexes")
def test_sight_of_the_largest_board_is_built_soon() -> None:
    """Rays are followed once for each direction: 7 s where one for each pair took minutes."""
    random = np.random.default_rng(4)
    make_board(3, 3, frozenset({(1, 1)}), [])  # compiled before the clock runs
    cells = [(col, row) for col in range(255) for row in range(64)]
    walls = {cell for cell in cells if random.random() < 0.005}
    began = time.process_time()
    board = make_board(255, 64, frozenset(walls), [])
    assert time.process_time() - began < 25
    pairs = [(cells[a], cells[b]) for a, b in random.integers(len(cells), size=(3000, 2))]
    assert [(a, b) for a, b in pairs if sees(board, hex_at(*a), hex_at(*b)) != visible(walls, a, b)] == []


def test_board_without_walls_is_all_visible() -> None:
    board = make_board(7, 5, frozenset(), [[(0, 0), (1, 1)], [(1, 1)]])
    cells = [(col, row) for col in range(7) for row in range(5)]
    assert all(sees(board, hex_at(*a), hex_at(*b)) for a in cells for b in cells)
    assert [int(objectives_at(board, hex_at(*cell))) for cell in ((0, 0), (1, 1), (2, 2))] == [1, 3, 0]
    assert (all_hexes(board) == open_hexes(board)).all()


# --- paths and choices on random positions --------------------------------------------------------------------


class Position:
    """Random walls and units on a small board, at the table and in plain sets."""

    def __init__(self, play: Any, seed: int, decisions: str = "reference") -> None:
        random = np.random.default_rng(seed)
        self.cols, self.rows = (int(size) for size in random.integers(6, 17, 2))
        cells = [(col, row) for col in range(self.cols) for row in range(self.rows - 1)]
        order = [cells[index] for index in random.permutation(len(cells))]
        count = int(random.integers(2, 13))
        kinds = ["Hormagaunt", "Termagant", "Intercessor", "Carnifex"]
        self.units = {str(number): order[number] for number in range(count)}
        self.player = {unit: 1 if index == 0 else int(random.integers(1, 3)) for index, unit in enumerate(self.units)}
        self.kind = {unit: kinds[int(random.integers(4))] for unit in self.units}
        walls = set(order[count : count + int(random.integers(len(cells) // 3))])
        self.table = play(
            *(f"{'^v'[self.player[u] - 1]}{u} {self.kind[u]} {c},{r}" for u, (c, r) in self.units.items()),
            board=(self.cols, self.rows), walls=" ".join(f"{c},{r}" for c, r in sorted(walls)), decisions=decisions,
        )  # fmt: skip
        half = {(col, self.rows - 1) for col in range(1, self.cols, 2)}
        self.walls = walls | half
        self.open = {(col, row) for col in range(self.cols) for row in range(self.rows)} - self.walls

    def side(self, player: int) -> list[str]:
        return [unit for unit in self.units if self.player[unit] == player]

    def unoccupied(self) -> set[Hex]:
        return self.open - set(self.units.values())

    def unthreatened(self, player: int) -> set[Hex]:
        threatened = {there for unit in self.side(3 - player) for there in around(self.units[unit])}
        return self.unoccupied() - threatened


def positions(play: Any, count: int, decisions: str = "reference") -> Iterator[Position]:
    return (Position(play, seed, decisions) for seed in range(count))


MOVE = {"Hormagaunt": 10, "Termagant": 6, "Intercessor": 6, "Carnifex": 8}
RANGE = {"Hormagaunt": 0, "Termagant": 18, "Intercessor": 24, "Carnifex": 24}


def test_destinations_and_pool_are_those_of_a_plain_search(play: Any) -> None:
    for position in positions(play, 60):
        free = position.unthreatened(1)
        for unit in position.side(1):
            start = position.units[unit]
            assert position.table.destinations(unit) == search(start, MOVE[position.kind[unit]], free)
            assert position.table.destinations(unit, 3) == search(start, 3, free)
        if position.table.where == (1, 1, "move"):
            assert position.table.pool() == [unit for unit in position.side(1) if search(position.units[unit], 1, free)]


def best(order: list[Hex], value: Value) -> Hex:
    """The first hex of greatest value."""
    return max(enumerate(order), key=lambda entry: (value(entry[1]), -entry[0]))[1]


def away_from(enemies: list[Hex]) -> Value:
    return lambda cell: min(far(cell, enemy) for enemy in enemies)


def near(enemies: list[Hex]) -> Value:
    return lambda cell: -min(far(cell, enemy) for enemy in enemies)


def in_range(enemies: list[Hex], reach: int) -> Value:
    return lambda cell: sum(far(cell, enemy) <= reach for enemy in enemies)


def test_strategies_are_those_of_a_plain_comparison(play: Any) -> None:
    tried = 0
    for position in positions(play, 60):
        if position.table.where != (1, 1, "move"):
            continue
        before = position.table.games.copy()
        enemies = [position.units[unit] for unit in position.side(2)]
        for unit in position.table.pool():
            order = position.table.destinations(unit)
            reach = RANGE[position.kind[unit]]
            wanted = [order[0]] * 3
            if enemies:
                wanted = [
                    best(order, near(enemies)),
                    best(order, in_range(enemies, reach)),
                    best(order, away_from(enemies)),
                ]
            for micro, where in enumerate(wanted):
                position.table.games[:] = before
                position.table.play(unit, micro)
                assert position.table.hex(unit) == where, (position.units, position.walls, unit, micro)
                tried += 1
            position.table.games[:] = before
    assert tried > 300


def test_charges_are_those_of_a_plain_search(play: Any) -> None:
    tried = 0
    for position in positions(play, 80):
        table = position.table
        while not table.over and table.phase in ("move", "shoot") and table.where[:2] == (1, 1):
            table.skip_one()
        if table.over or table.where != (1, 1, "charge"):
            continue
        free = position.unoccupied()
        enemies = position.side(2)
        reached = {unit: search(position.units[unit], 12, free) for unit in position.side(1)}

        def touched(cells: list[Hex], enemy: str, here: Position = position) -> list[Hex]:
            return [cell for cell in cells if far(cell, here.units[enemy]) == 1]

        engaged = {u for u in position.side(1) if any(far(position.units[u], position.units[e]) == 1 for e in enemies)}
        pool = [u for u in reached if u not in engaged and any(touched(reached[u], e) for e in enemies)]
        assert table.pool() == pool
        unit = pool[0]
        chargeable = [enemy for enemy in enemies if touched(reached[unit], enemy)]
        table.select(unit)
        assert table.targets() == chargeable
        for enemy in chargeable:
            for reach in (2, 5, 9):
                found = forcing.charge_destinations(*table.arguments, table.number(unit), table.number(enemy), reach)
                plain = touched(search(position.units[unit], reach, free), enemy)
                assert [(int(cell) >> 6, int(cell) & 63) for cell in found] == plain
        table.act(9, "charge 2, charge 3")
        ends = touched(search(position.units[unit], 5, free), chargeable[0])
        assert table.hex(unit) == (ends[0] if ends else position.units[unit])
        assert bool(table.events("charged")) == bool(ends)
        tried += 1
    assert tried > 25


def test_targets_of_a_long_gun_are_all_enemies_in_sight_and_not_engaged(play: Any) -> None:
    for position in positions(play, 80):
        first = position.side(1)[0]
        enemies = position.side(2)
        here = position.units[first]
        in_contact = any(far(here, position.units[enemy]) == 1 for enemy in enemies)
        friends = [position.units[unit] for unit in position.side(1)]
        legal = {
            enemy
            for enemy in enemies
            if not any(far(place, position.units[enemy]) == 1 for place in friends)
            and visible(position.walls, here, position.units[enemy])
        }
        if position.kind[first] in ("Hormagaunt", "Intercessor") or in_contact:  # a pistol is another matter
            continue
        assert set(position.table.shooting_list(first)) == {
            enemy for enemy in legal if far(here, position.units[enemy]) <= RANGE[position.kind[first]]
        }


def test_advance_ends_nearest_to_the_nearest_enemy(play: Any) -> None:
    tried = 0
    for position in positions(play, 60):
        table = position.table
        while not table.over and table.where == (1, 1, "move"):
            table.skip_one()
        enemies = position.side(2)
        if table.over or table.where != (1, 1, "shoot") or not enemies:
            continue
        unit = table.pool()[0]
        table.select(unit)
        if 12 not in table.mask():
            continue
        order = search(position.units[unit], 4, position.unthreatened(1))
        nearest = min(enemies, key=lambda enemy: far(position.units[unit], position.units[enemy]))
        table.act(12, "advance 4")
        if order:
            assert table.hex(unit) == best(order, near([position.units[nearest]]))
        else:
            assert table.hex(unit) == position.units[unit]
        assert bool(table.events("advanced")) == bool(order)
        assert bool(table.events("advance_blocked")) == (not order)
        tried += 1
    assert tried > 20


def test_sight_by_arrays_is_the_sight_of_the_rules(sight_by_arrays: Any) -> None:
    """What stands in for the slow table of large boards where the compiler is off."""
    random = np.random.default_rng(9)
    cells = [(col, row) for col in range(11) for row in range(12)]
    walls = frozenset(cell for cell in cells if random.random() < 0.1)
    board = make_board(11, 12, walls, [])
    words = np.array([sum(1 << row for col, row in walls if col == column) for column in range(11)], dtype=np.uint64)
    other = np.zeros_like(board)
    sight_by_arrays(other, 12, words)
    assert (other[:-2, :-1] == board[:-2, :-1]).all()
