"""A person at the prompt, by scripted answers: choices, wrong answers, help, undo, leaving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.play.choices import NotAChoiceError, find_choice, legal_choices, waiting_action
from w40k_marl.apps.play.game_log import USUAL
from w40k_marl.apps.play.human import GameLeftError
from w40k_marl.env.aec import RawEnv
from w40k_marl.observe.layout import Layout
from w40k_marl.rules.state import FIGHT, SUMMARY_PHASE

Begin = Callable[..., Any]


def left(begin: Begin, *answers: Any, **options: Any) -> Any:
    """A game after these answers; then the input ends."""
    game = begin(*answers, **options)
    with pytest.raises(GameLeftError):
        game.match.play()
    return game


def named(game: Any) -> list[str]:
    return [game.match.env.layout.describe_action(action) for action in game.match.actions]


@pytest.mark.parametrize("answers", [("2", "5"), ("unit 2", "wait"), ("UNIT-2", "w"), (" select  2", "Wait")])
def test_choices_are_taken_by_number_name_or_beginning(begin: Begin, answers: tuple[str, str]) -> None:
    assert named(left(begin, *answers)) == ["select_1", "wait"]


def test_units_keep_their_own_numbers(begin: Begin) -> None:
    """When unit 1 is no longer offered, 2 is still unit 2."""
    game = left(begin, "1", "wait", "2", "wait")
    assert named(game) == ["select_0", "wait", "select_1", "wait"]
    assert "\n  3  unit 3  AssaultIntercessor, 2/2 hit points, at (8, 12)\n" in game.text()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("0", '"0" is none of the choices. Type a number or a name, or help.'),
        ("move", '"move" may be move_aggressive, move_tactical, move_defensive, move_random.'),
        ("move_agressive", '"move_agressive" is none of the choices; did you mean "move_aggressive"?'),
        ("unit 1", '"unit 1" is none of the choices'),
        ("charge", '"charge" is none of the choices'),
        ("\x1b[A ñ 🙂", "is none of the choices"),
    ],
)
def test_answer_that_is_no_choice_is_asked_for_again(begin: Begin, answer: str, said: str) -> None:
    game = left(begin, "1", answer, "wait")
    assert named(game) == ["select_0", "wait"]
    assert said in game.text()


def test_choices_are_the_legal_actions(begin: Begin) -> None:
    """All of a game, intents too: each number and each name leads back to its own action."""
    env, seen = RawEnv("small_board", layout=Layout(intents=True)), set()
    env.reset(seed=4)
    while not env.session.over:
        choices = legal_choices(env.session)
        assert [choice.action for choice in choices] == env.session.legal_actions()
        for choice in choices:
            assert find_choice(choices, choice.number) is find_choice(choices, choice.name) is choice
            if choice.action >= env.layout.micro_start:
                assert find_choice(choices, env.layout.describe_action(choice.action)) is choice
            seen.add(choice.about)
        env.step(choices[env.session.games[0].steps % len(choices)].action)
    assert any(about.startswith("shoot at unit 4, TyranidWarriorRanged, ") for about in seen)
    assert {"next: which objective", "no detail", "Center, nobody's"} <= seen


def test_name_of_two_choices_is_refused() -> None:
    env = RawEnv("small_board")
    env.reset(seed=1)
    with pytest.raises(NotAChoiceError, match='"unit" may be unit 1, unit 2, unit 3'):
        find_choice(legal_choices(env.session), "unit")


def test_commands_change_nothing(begin: Begin) -> None:
    game = left(begin, "help", "?", "h", "board", "B", "choices", "")
    assert named(game) == []
    assert game.text().count("back to your last decision, and the other side's moves since are undone too") == 3
    assert game.text().count("victory points 0 : 0") == 2
    assert game.text().count("which unit is to act?") == 3


def test_undo_goes_back_to_the_last_own_decision(begin: Begin) -> None:
    states: list[bytes] = []
    game = begin("1", "wait", "undo", lambda: states.append(game.match.env.snapshot()) or "4", "undo", "undo", "undo")
    beginning = game.match.env.snapshot()
    with pytest.raises(GameLeftError):
        game.match.play()
    assert game.match.env.snapshot() == beginning
    assert states[0] != beginning
    assert game.text().count("Undone.") == 3
    assert game.text().count("There is nothing to undo: this is your first decision.") == 1
    assert named(game) == []


def test_undo_takes_the_other_sides_moves_back_too_and_dice_fall_as_before(begin: Begin) -> None:
    """Wait until the other side, a random bot, has moved; go back, and decide the same once more."""
    after: list[tuple[bytes, list[str]]] = []

    def answers() -> Iterator[str]:
        own, chosen = 0, ""
        while len(game.match.actions) == own:
            chosen, own = legal_choices(game.match.session)[-1].number, own + 1
            yield chosen
        for _ in range(2):
            after.append((game.match.env.snapshot(), named(game)))
            yield "undo"
            assert len(game.match.actions) == own - 1, "before the last own decision"
            yield chosen
        yield "quit"

    script = answers()
    game = begin(*[lambda: next(script)] * 200, meta=random_mapping())
    with pytest.raises(GameLeftError):
        game.match.play()
    assert len(after) == 2
    assert len(after[0][1]) > 10
    assert after[0] == after[1]
    assert game.match.session.acting_side == 0


def random_mapping() -> str:
    """A mapping whose only model is a random bot, in the folder of the test."""
    Path("Dice").mkdir(exist_ok=True)
    Path("Dice/policy.json").write_text('{"kind": "bot", "bot": "random"}', encoding="utf-8")
    Path("mine.json").write_text(
        '{"controlled_player": 2, "model_by_unit_type": {}, "default_model": "Dice"}', encoding="utf-8"
    )
    return "mine.json"


@pytest.mark.parametrize("words", ["wait all", "WAIT  with all others"])
@pytest.mark.parametrize("intents", [False, True])
def test_wait_all_ends_the_phase_for_all_of_ones_own_units(begin: Begin, words: str, intents: bool) -> None:
    game = left(begin, "2", words, intents=intents)
    each = ["intent_tempo", "wait"] if intents else ["wait"]
    assert named(game) == ["select_1", *each, "select_0", *each, "select_2", *each]
    assert game.text().count("which unit is to act?") == 2, "asked in the move phase and in the next one"
    assert "phase shoot, player 1 to act" in game.text()


def test_wait_all_is_undone_as_one_decision(begin: Begin) -> None:
    game = left(begin, "1", "wait", "wait all", "undo", "2", "wait")
    assert named(game) == ["select_0", "wait", "select_1", "wait"]
    assert game.text().count("Undone.") == 1


def test_wait_all_of_one_phase_says_nothing_about_the_next(begin: Begin) -> None:
    """Undone and said again, move and shoot: as many selections as units, each time."""
    game = left(begin, "wait all", "undo", "wait all", "wait all", "undo", "undo", "undo")
    assert named(game) == []
    assert game.text().count("There is nothing to undo") == 1


def test_wait_all_is_refused_in_the_fight_phase(begin: Begin) -> None:
    """Player 2 of this seed is charged by the greedy bot, and has to fight back."""
    game = left(begin, "wait all", human=2, opponent="greedy")
    assert "phase fight, player 2 to act" in game.text()
    assert "Nobody waits in the fight phase: a unit in contact fights." in game.text()


def test_waiting_with_all_is_legal_in_whole_games(begin: Begin) -> None:
    """In every phase that has a wait, from each stage of an activation, intents and details too."""
    env = RawEnv("small_board", layout=Layout(intents=True))
    for seed in range(3):
        env.reset(seed=seed)
        while not env.session.over:
            legal, action = env.session.legal_actions(), waiting_action(env.session)
            fighting = env.session.summary()[SUMMARY_PHASE] == FIGHT
            assert (action is None) is fighting
            assert action is None or action in legal
            steps = env.session.games[0].steps
            env.step(legal[steps % len(legal)] if action is None or steps % 3 else action)


def test_resigning_is_the_others_victory(begin: Begin) -> None:
    game = left(begin, "1", "resign", "wait")
    assert named(game) == ["select_0"]
    assert game.match.over
    result = game.match.result()
    assert (result["over"], result["winner"], result["method"]) == (True, 2, "resignation")


def test_help_names_every_command(begin: Begin) -> None:
    text = left(begin, "help").text()
    for word in ("choices", "board", "wait all", "undo", "save", "quit", "resign", "help"):
        assert f"\n  {word}" in text


@pytest.mark.parametrize("word", ["quit", "q", "exit"])
def test_quit_leaves_the_game(begin: Begin, word: str) -> None:
    assert named(left(begin, "1", word)) == ["select_0"]


def test_ctrl_c_at_the_prompt_is_passed_on(begin: Begin) -> None:
    game = begin("1", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        game.match.play()
    assert named(game) == ["select_0"]


def test_intents_are_asked_for(begin: Begin) -> None:
    game = left(begin, "1", "focus", "unit 5", "move_aggressive", intents=True, detail=USUAL)
    assert named(game) == ["select_0", "intent_focus_kill", "detail_1", "move_aggressive"]
    assert "unit 1: what for?" in game.text()
    assert "unit 1: which one?" in game.text()
    assert "\n  player 1, unit 1 (IntercessorSergeant) [focus_kill unit 5]: move_aggressive: moved, " in game.text()


def test_person_may_play_to_the_end(begin: Begin) -> None:
    """The first choice of each list, until the game is over."""
    game = begin(*[lambda: legal_choices(game.match.session)[0].number] * 1000, detail=USUAL)
    game.match.play()
    assert game.match.session.over
    assert game.match.result()["decisions"] == game.match.session.games[0].steps == len(game.match.actions)
    assert "the game is over: winner " in game.text()
