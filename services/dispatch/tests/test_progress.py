"""How tasks and incidents go on: the table walked completely, and every path through it."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shouwang.contracts import dispatch as contract
from shouwang.dispatch.domain.progress import LIVE, STEPS, Incident, Task, after, incident_status, missing

ANSWERS = ("accept", "decline", "arrive", "complete")
O, A, D, E, R, C, X = (  # noqa: E741 - the letters of the table below
    Task.OFFERED, Task.ACCEPTED, Task.DECLINED, Task.EXPIRED, Task.ARRIVED, Task.COMPLETED, Task.CANCELLED,
)  # fmt: skip
TABLE = {
    #   accept decline arrive complete
    O: (A,     D,      None,  None),
    A: (A,     D,      R,     C),
    D: (None,  D,      None,  None),
    E: (None,  None,   None,  None),
    R: (None,  None,   R,     C),
    C: (None,  None,   None,  C),
    X: (None,  None,   None,  None),
}  # fmt: skip


def test_the_words_are_those_of_the_contract() -> None:
    assert {str(status) for status in Task} == set(contract.TaskStatus.__args__)
    assert {str(status) for status in Incident} == set(contract.IncidentStatus.__args__)
    assert set(ANSWERS) == set(contract.Answer.__args__)


@pytest.mark.parametrize("status", Task)
@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_to_every_status(status: Task, answer: str) -> None:
    assert after(status, answer) is TABLE[status][ANSWERS.index(answer)]


@pytest.mark.parametrize("status", Task)
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_same_answer_again_changes_nothing(status: Task, answer: str) -> None:
    reached = after(status, answer)
    if reached is not None:
        assert after(reached, answer) is reached


def test_a_task_that_has_ended_stays_ended() -> None:
    for (status, _), reached in STEPS.items():
        assert status in LIVE
        assert reached is not status
    ended = set(Task) - LIVE
    assert {after(status, answer) for status in ended for answer in ANSWERS} <= {*ended, None}


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([], Incident.REPORTED),
        ([D], Incident.REPORTED),
        ([E, X, D], Incident.REPORTED),
        ([O], Incident.DISPATCHED),
        ([D, O], Incident.DISPATCHED),
        ([A, O], Incident.ACCEPTED),
        ([A, R, O], Incident.ARRIVED),
        ([C], Incident.HANDLING),
        ([C, R, A, O, D, E, X], Incident.HANDLING),
    ],
)
def test_an_incident_is_as_far_as_the_farthest_of_its_tasks(tasks: list[Task], expected: Incident) -> None:
    assert incident_status(tasks) is expected
    assert incident_status(reversed(tasks)) is expected
    assert incident_status(iter(tasks)) is expected


@pytest.mark.parametrize(
    ("needed", "tasks", "expected"),
    [
        (1, [], 1),
        (1, [O], 0),
        (1, [D], 1),
        (2, [C], 1),
        (2, [C, C], 0),
        (3, [O, A, R], 0),
        (3, [D, E, X, O], 2),
        (1, [O, A], 0),  # never less than none
    ],
)
def test_missing_hands(needed: int, tasks: list[Task], expected: int) -> None:
    assert missing(needed, tasks) == expected


class Paths(RuleBasedStateMachine):
    """One incident with as many units as it likes: offers, answers in any order, expiry, taking back."""

    @initialize(needed=st.integers(1, 4))
    def open(self, needed: int) -> None:
        self.needed, self.tasks, self.ended = needed, list[Task](), dict[int, Task]()

    @rule(free=st.integers(0, 5))
    def fill(self, free: int) -> None:
        lacking = missing(self.needed, self.tasks)
        got = min(lacking, free)
        self.tasks += [Task.OFFERED] * got
        assert missing(self.needed, self.tasks) == lacking - got

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), answer=st.sampled_from(ANSWERS))
    def answer(self, data: st.DataObject, answer: str) -> None:
        i = data.draw(st.integers(0, len(self.tasks) - 1))
        before, lacking = self.tasks[i], missing(self.needed, self.tasks)
        reached = after(before, answer)
        if reached is None or reached is before:
            return
        assert before in LIVE
        self.tasks[i] = reached
        gave_up = reached is Task.DECLINED
        assert missing(self.needed, self.tasks) == lacking + gave_up

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), end=st.sampled_from([Task.EXPIRED, Task.CANCELLED]))
    def end(self, data: st.DataObject, end: Task) -> None:
        i = data.draw(st.integers(0, len(self.tasks) - 1))
        can = {Task.OFFERED} if end is Task.EXPIRED else LIVE
        if self.tasks[i] in can:
            self.tasks[i] = end

    @invariant()
    def never_more_hands_than_needed(self) -> None:
        hands = sum(task in LIVE or task is Task.COMPLETED for task in self.tasks)
        assert hands + missing(self.needed, self.tasks) == self.needed

    @invariant()
    def what_has_ended_stays_as_it_ended(self) -> None:
        for i, task in enumerate(self.tasks):
            if i in self.ended:
                assert task is self.ended[i]
            elif task not in LIVE:
                self.ended[i] = task

    @invariant()
    def the_incident_says_what_its_tasks_say(self) -> None:
        status = incident_status(self.tasks)
        assert status is not Incident.CLOSED  # only a person closes
        assert (status is Incident.HANDLING) == (Task.COMPLETED in self.tasks)
        assert (status is Incident.REPORTED) == (not any(t in LIVE or t is Task.COMPLETED for t in self.tasks))


Paths.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestPaths = Paths.TestCase
