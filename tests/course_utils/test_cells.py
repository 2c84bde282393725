from course_utils.cells import add_to


class Counter:
    def __init__(self) -> None:
        self.value = 1


def test_a_function_becomes_a_method_also_of_living_instances() -> None:
    counter = Counter()

    @add_to(Counter)
    def plus(self: Counter, other: int) -> int:
        return self.value + other

    assert counter.plus(2) == 3  # type: ignore[attr-defined]
    assert plus.__qualname__ == "Counter.plus"


def test_running_the_cell_again_replaces_the_method() -> None:
    counter = Counter()
    for answer in ("first", "second"):

        @add_to(Counter)
        def speak(self: Counter, answer: str = answer) -> str:
            return answer

    assert counter.speak() == "second"  # type: ignore[attr-defined]
