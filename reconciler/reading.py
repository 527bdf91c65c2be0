"""Reading tenants, one portal a thread, several at a time; and what an import would bring, with nothing stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from reconciler import plausibility, transition
from reconciler.diff import differences
from reconciler.importing import Importer
from reconciler.model import Complete, Failed, Observation
from reconciler.plan import Plan, PortalPlan, Preview
from reconciler.run import Run
from reconciler.store.scratch import scratch
from reconciler.store.staging import Staging

STOPPING_SECONDS = 2.0
"""How long a run that is stopped waits for portals that are being stored. What only waits for an answer is left."""


@contextmanager
def threads(importer: Importer) -> Iterator[Callable[..., Future[Any]]]:
    """Threads for as many portals as may be read at once. When one raises, the others are stopped."""
    futures: list[Future[Any]] = []
    pool = ThreadPoolExecutor(max_workers=importer.jobs, thread_name_prefix="portal")

    def submit(work: Callable[..., Any], *arguments: object) -> Future[Any]:
        futures.append(pool.submit(work, *arguments))
        return futures[-1]

    try:
        yield submit
    except BaseException:
        importer.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        wait(futures, timeout=STOPPING_SECONDS)
        raise
    pool.shutdown()


def observe(run: Run, importer: Importer, plan: PortalPlan, staged: Staging) -> Observation:
    """Read one tenant. A read that does not fit what was known is held back as a failure."""
    portal = plan.after.portal
    importer.progress.started(portal)
    observation = importer.observe(plan.after, run.settings, staged, run.now)
    if isinstance(observation, Complete):
        named = run.allowed if portal.id in run.only else ()  # nobody looked at the tenants of the others
        refusal = plausibility.check_observation(plan.after, observation, run.settings, named, run.today)
        observation = Failed(portal.id, refusal) if refusal else observation
    importer.progress.finished(portal, observation)
    return observation


def refreshed(run: Run, importer: Importer, plan: Plan) -> Plan:
    """The plan with what each import would bring. Reads tenants, stores nothing."""
    with threads(importer) as submit:
        futures = {portal.id: submit(_preview, run, importer, portal) for portal in plan.portals if portal.imports}
        previews = {portal_id: future.result() for portal_id, future in futures.items()}
    return replace(plan, portals=tuple(replace(item, preview=previews.get(item.id)) for item in plan.portals))


def _preview(run: Run, importer: Importer, plan: PortalPlan) -> Preview:
    """What the import of one portal would bring."""
    with scratch() as staged:
        observation = observe(run, importer, plan, staged)
    if isinstance(observation, Failed):
        return Preview(plan.kept, error=observation.error)
    after = transition.observe(plan.after, observation, run.settings, run.title, run.now)
    return Preview(after, differences(plan.after, after))
