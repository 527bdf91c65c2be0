"""Random portals, observations and histories, for rules that hold for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from reconciler.model import (
    Complete,
    Consumption,
    DeclaredEntitlement,
    ErrorInfo,
    Exclusion,
    License,
    Observation,
    Portal,
    PortalState,
    Price,
    ProductEntry,
    Settings,
    Subscription,
    Suspension,
    Units,
)
from reconciler.transition import configure, delete, observe, stamp
from tests.core.core_world import NOW, TODAY, certificate, failed, numbered, organization, portal, secret, title

PARTS = ["A_FREE", "B_FREE", "C_PLAN", "D_PLAN"]
SKUS = [numbered(index) for index in range(len(PARTS))]

numbers = st.none() | st.integers(-1, 5) | st.sampled_from([10_000, 2**31 - 1])
names = st.sampled_from(["Contoso", "a|b", "<b>x</b>", "x\ny", "\u202ez", "- [x](y)", "漢字 🙂"]) | st.text(
    max_size=8
).filter(str.strip)
dates = st.none() | st.dates(TODAY - timedelta(days=3), TODAY + timedelta(days=3))
moments = st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
skus = st.sampled_from([*PARTS, *SKUS, "*_FREE", "*", "?_PLAN"])

exclusions = st.lists(
    st.builds(Exclusion, skus, names, dates), max_size=3, unique_by=lambda exclusion: exclusion.sku
).map(tuple)

prices = st.none() | st.builds(
    Price, st.decimals("0", "999999999999.999999", places=6).map(Decimal), st.just("EUR"), st.just("month")
)
entitlements = st.none() | st.builds(DeclaredEntitlement, st.integers(0, 10**9), st.none() | names, st.none() | names)
entries = st.lists(
    st.builds(ProductEntry, st.sampled_from(PARTS), st.sampled_from([None, "Office", "X"]), prices, entitlements),
    max_size=3,
    unique_by=lambda entry: entry.sku,
).map(tuple)

portals = st.builds(
    portal,
    name=names,
    description=st.none() | names,
    exclusions=exclusions,
    products=entries,
    authentication=st.sampled_from([secret(), secret(TODAY), certificate(), certificate("other")]),
    suspend=st.none() | st.builds(Suspension, names, dates),
    protect=st.booleans(),
)


@st.composite
def licenses(draw: st.DrawFn) -> tuple[License, ...]:
    """Some of the SKUs, each with any numbers."""
    return tuple(
        License(
            sku_id=SKUS[index],
            part_number=draw(st.sampled_from([PARTS[index], PARTS[index], "RENAMED_FREE"]) | names),
            applies_to=draw(st.sampled_from(["User", "User", "Company"])),
            capability_status=draw(st.sampled_from(["Enabled", "Suspended"])),
            units=draw(st.builds(Units, numbers, numbers, numbers, numbers)),
            consumed_units=draw(numbers),
            subscriptions=draw(
                st.lists(
                    st.builds(Subscription, st.sampled_from("st"), st.just("Warning"), numbers, st.booleans(), moments),
                    max_size=2,
                    unique_by=lambda subscription: subscription.id,
                ).map(tuple)
            ),
        )
        for index in draw(st.sets(st.integers(0, len(SKUS) - 1)))
    )


@st.composite
def completes(draw: st.DrawFn) -> Complete:
    """A complete read."""
    findings = st.dictionaries(st.sampled_from(["disabled_account", "guest_licensed"]), st.integers(1, 9))
    return Complete(
        portal_id="contoso",
        organization=organization(name=draw(names)),
        licenses=draw(licenses()),
        consumption=draw(st.dictionaries(st.sampled_from(SKUS), st.builds(Consumption, st.integers(0, 9), findings))),
        users=draw(st.integers(0, 9)),
        emulated=draw(st.sampled_from([None, "demo"])),
    )


failures = st.sampled_from([failed(), failed(ErrorInfo("http-503", "Busy.", "Wait.", "host answered 503"))])
observations: st.SearchStrategy[Observation] = completes() | failures
settings_ = st.builds(
    Settings,
    count_warning=st.booleans(),
    unmetered=st.lists(skus, max_size=2).map(tuple),
)


@dataclass(frozen=True)
class Step:
    """One run: the portal as it is declared then (None: its file is gone) and what reading its tenant gave.

    ``end`` is what its certificate says, None when that cannot be read.
    """

    declared: Portal | None
    seen: Observation | None
    settings: Settings
    day: int
    end: date | None

    @property
    def now(self) -> datetime:
        """When the run happens."""
        return NOW + timedelta(days=self.day)

    @property
    def today(self) -> date:
        """The day of the run."""
        return self.now.date()

    def configured(self, before: PortalState | None) -> PortalState | None:
        """The state after the plan, before the tenant is read."""
        if self.declared is None:
            return delete(before) if before else None
        return configure(before, self.declared, self.settings, title, self.today, self.end)

    def run(self, before: PortalState | None) -> PortalState | None:
        """The state after the run."""
        after = self.configured(before)
        if after is None:
            return None
        if self.declared is not None and self.seen is not None:
            after = observe(after, self.seen, self.settings, title, self.now)
        return stamp(before, after, self.now)


steps = st.builds(Step, st.none() | portals, st.none() | observations, settings_, st.integers(0, 3), dates)
histories = st.lists(steps, min_size=1, max_size=5).map(lambda items: sorted(items, key=lambda step: step.day))
