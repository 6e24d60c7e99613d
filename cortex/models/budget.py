"""What a run may spend on language models, and what it has spent. Pure.

Room for a request is reserved before it is sent and settled when it ends, so that coders who ask at
the same time cannot spend the same tokens twice.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from cortex.errors import BudgetExceededError

MIN_OUTPUT_TOKENS = 256
"""An answer cut shorter is not worth its price."""
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens, which is also millionths of a dollar for one."""

    input: Decimal
    output: Decimal

    def cost_microusd(self, input_tokens: int, output_tokens: int) -> int:
        """Rounded up."""
        cost = self.input * input_tokens + self.output * output_tokens
        return int(cost.to_integral_value(ROUND_CEILING))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The limits of one run."""

    max_tokens: int | None = None
    """Input and output together; None: no limit."""
    max_cost_microusd: int | None = None
    """In millionths of a US dollar; None: no limit."""

    def describe(self) -> str:
        """The limits in words."""
        tokens = "any number of" if self.max_tokens is None else f"{self.max_tokens:,}"
        cost = "" if self.max_cost_microusd is None else f", {format_usd(self.max_cost_microusd)}"
        return f"{tokens} tokens{cost}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What was spent, and what requests under way may still spend."""

    tokens: int = 0
    cost_microusd: int = 0
    reserved_tokens: int = 0
    reserved_microusd: int = 0

    def reserve(self, tokens: int, cost_microusd: int) -> "Spending":
        """With room held for a request."""
        return replace(
            self,
            reserved_tokens=self.reserved_tokens + tokens,
            reserved_microusd=self.reserved_microusd + cost_microusd,
        )

    def settle(self, reserved: "Reservation", tokens: int, cost_microusd: int) -> "Spending":
        """With a request's room replaced by what it took."""
        return Spending(
            tokens=self.tokens + tokens,
            cost_microusd=self.cost_microusd + cost_microusd,
            reserved_tokens=self.reserved_tokens - reserved.tokens,
            reserved_microusd=self.reserved_microusd - reserved.cost_microusd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Room for one request."""

    output_tokens: int
    """The longest answer that there is room for."""
    tokens: int
    cost_microusd: int


def plan_request(
    budget: Budget,
    spending: Spending,
    price: Price | None,
    *,
    input_tokens: int,
    max_output_tokens: int,
) -> Reservation:
    """Find room for a request, with an answer shorter than wanted if need be.

    Raises:
        BudgetExceededError: there is no room for a useful answer.
    """
    output = min(
        max_output_tokens,
        _room_by_tokens(budget, spending, input_tokens),
        _room_by_cost(budget, spending, price, input_tokens),
    )
    cost = price.cost_microusd(input_tokens, output) if price else 0
    return Reservation(output_tokens=output, tokens=input_tokens + output, cost_microusd=cost)


def _room_by_tokens(budget: Budget, spending: Spending, input_tokens: int) -> int:
    if budget.max_tokens is None:
        return _MILLION
    taken = spending.tokens + spending.reserved_tokens
    room = budget.max_tokens - taken - input_tokens
    if room < MIN_OUTPUT_TOKENS:
        raise BudgetExceededError(
            limit="the token budget",
            used=f"{taken:,} and {input_tokens:,} for the next request",
            allowed=f"{budget.max_tokens:,} tokens",
        )
    return room


def _room_by_cost(
    budget: Budget, spending: Spending, price: Price | None, input_tokens: int
) -> int:
    if budget.max_cost_microusd is None or price is None:
        return _MILLION
    taken = spending.cost_microusd + spending.reserved_microusd
    asked = price.cost_microusd(input_tokens, 0)
    left = budget.max_cost_microusd - taken - asked
    room = int(left / price.output) if price.output else _MILLION
    if left < 0 or room < MIN_OUTPUT_TOKENS:
        raise BudgetExceededError(
            limit="the money budget",
            used=f"{format_usd(taken)} and {format_usd(asked)} for the next request",
            allowed=format_usd(budget.max_cost_microusd),
        )
    return room


def format_usd(microusd: int) -> str:
    """Millionths of a US dollar for people."""
    dollars = Decimal(microusd) / _MILLION
    return f"${dollars:.2f}" if microusd >= 10_000 or not microusd else f"${dollars:.6f}"


class Meter:
    """The spending of one run in this process; it does no I/O."""

    def __init__(self, budget: Budget, price: Price | None, spent: Spending | None = None) -> None:
        self.budget = budget
        self.price = price
        self._spending = spent or Spending()

    @property
    def spending(self) -> Spending:
        """As of now."""
        return self._spending

    def reserve(self, *, input_tokens: int, max_output_tokens: int) -> Reservation:
        """Hold room for a request.

        Raises:
            BudgetExceededError: there is none.
        """
        reservation = plan_request(
            self.budget,
            self._spending,
            self.price,
            input_tokens=input_tokens,
            max_output_tokens=max_output_tokens,
        )
        self._spending = self._spending.reserve(reservation.tokens, reservation.cost_microusd)
        return reservation

    def settle(self, reservation: Reservation, *, tokens: int, cost_microusd: int) -> None:
        """Count what a request took."""
        self._spending = self._spending.settle(reservation, tokens, cost_microusd)
