"""What this tool reports when it stops for safety, and about its state, with what to do about it."""

from __future__ import annotations

from reconciler.error_catalogue.explanation import About, Case, Explanation, Source

_LOOK = "Look at the tenant. If it is right, apply this portal by its ID with --allow answer."
_REBUILD = "Delete state/reconciler.db; the next apply restores it from the ledger and one full import."


def _row(
    about: About, code: str, message: str, when: str, remedy: str, cases: tuple[Case, ...] = (), example: str = ""
) -> Explanation:
    return Explanation(code, message, when, remedy, Source.OURS, about, cases, example)


SAFETY = (
    _row(
        About.SAFETY,
        "no-portals-declared",
        "portals.d declares no portal, and … would be deleted from the state.",
        "The folder of portals is empty, and the state is not.",
        "Restore the portal files, or allow it with --allow empty.",
    ),
    _row(
        About.SAFETY,
        "too-many-lost",
        "… of … products would lose synchronization; the limits are … % (safety.max_lost_percent) above … products "
        "(safety.min_products), and … products (safety.max_lost_products).",
        "The plan deletes or excludes more than a limit. A portal with limits of its own is judged by itself.",
        "If it is meant, allow it with --allow loss or raise the limit in reconcile.yaml.",
        (
            Case(
                "products of portal … would lose synchronization",
                "The same in a portal with limits of its own.",
                "If it is meant, allow it with --allow loss or raise the limit in portals.d/….yaml.",
            ),
        ),
    ),
    _row(
        About.SAFETY,
        "too-many-removals",
        "… would be deleted from the state; the limit is … (safety.max_removals).",
        "More entries of removals.yaml are carried out at once than the limit allows.",
        "If it is meant, allow it with --allow removals or raise the limit in reconcile.yaml.",
        (
            Case(
                "of portal … would be deleted from the state",
                "The same in a portal with limits of its own.",
                "If it is meant, allow it with --allow removals or raise the limit in portals.d/….yaml.",
            ),
        ),
    ),
    _row(
        About.SAFETY,
        "removal-refused",
        "portals.d/removals.yaml:…: ….",
        "An entry of removals.yaml names a product that can be synchronized, or everything of a portal that is still "
        "declared. `plan` ends with 3; `apply` leaves the entry out, does all else, and ends with 4.",
        "Only a product that cannot be synchronized may be removed: take the entry out, or exclude the license first.",
    ),
    _row(
        About.SAFETY,
        "portal-protected",
        "The portal … is protected and its file is gone.",
        "The plan deletes a portal that has `protect: true`.",
        "Restore the file. To delete the portal, apply it once with `protect: false`, then delete the file.",
    ),
    _row(
        About.SAFETY,
        "id-taken",
        "portals.d/….yaml was renamed to ….yaml, but … is the id of a portal that was removed, and its record is kept.",
        "A portal's file was renamed to the id of a portal whose products were all removed.",
        "Give the file another name.",
    ),
    _row(
        About.SAFETY,
        "tenant-changed",
        "The portal … would read tenant … instead of …; … would be lost.",
        "tenant_id of a known portal was edited.",
        "Make a new portal file for the other tenant. If the portal is meant to turn to it, name the former tenant in "
        "its file as `replaces_tenant_id`, or allow it once with --allow tenant-change.",
    ),
    _row(
        About.SAFETY,
        "plan-stale",
        "The plan is stale: ….",
        "The plan file of `apply --plan` was made from another state or configuration, or on another day, and would "
        "come out differently now.",
        "Make it again with `reconcile plan --out FILE`, and look at what is different.",
    ),
    _row(
        About.SAFETY,
        "no-licenses",
        "The tenant reports no licenses; … known before.",
        "An answer without a single license, from a tenant that had some. This portal is held back.",
        _LOOK,
    ),
    _row(
        About.SAFETY,
        "too-many-gone",
        "… of … products are gone from the portal; the limits are … % (safety.max_lost_percent) above … products "
        "(safety.min_products), and … products (safety.max_lost_products).",
        "The tenant reports far fewer licenses than before. This portal is held back.",
        _LOOK,
        (
            Case(
                "products are gone from the portal at once; at least … % must be there (safety.min_reported_percent).",
                "Most of a portal's licenses are gone.",
                _LOOK,
            ),
        ),
    ),
    _row(
        About.SAFETY,
        "no-consumers",
        "… of … known consumers are missing from the list of users, although Graph still counts their licenses.",
        "The list of users is empty, which the tenant's own numbers contradict. This portal is held back.",
        _LOOK,
    ),
    _row(
        About.SAFETY,
        "consumers-missing",
        "… of … known consumers are missing from the list of users, although Graph still counts their licenses.",
        "The list of users was cut short, which the tenant's own numbers contradict. This portal is held back.",
        _LOOK,
    ),
    _row(
        About.SAFETY,
        "untrusted-ref",
        "This run is for ….",
        "A CI runs for a pull request, or for a branch that is neither the default nor protected: nobody has approved "
        "the configuration there.",
        "Merge it, and let the pipeline of the default branch apply it; or protect the branch; or, where every change "
        "is trusted, allow it with --allow untrusted.",
        (
            Case(
                "This run is for …, and what nobody has approved is not published.",
                "The same with `publish`. It would push the commits of the branch along with the state, so no option "
                "goes over this, and `publish apply --allow untrusted` does not either.",
                "Merge it, and let the pipeline of the default branch publish; or protect the branch.",
            ),
        ),
    ),
    _row(
        About.SAFETY,
        "emulated-answer",
        "The emulator answered for a tenant whose real numbers are known.",
        "The variables still lead to `reconcile emulator serve`. This portal is held back.",
        "Unset HTTPS_PROXY and SSL_CERT_FILE, or emulate in a repository of its own.",
    ),
)
"""Refused because it looks like an accident. About the plan: exit code 3. About one portal's answer: held back."""

STATE = (
    _row(
        About.STATE,
        "locked",
        "Another run is working on this state.",
        "Two runs at once in one folder.",
        "Wait until it has ended. The lock goes with its process; there is no file to delete.",
        (
            Case(
                "Another program is writing to the state DB.",
                "Something other than this tool has the database open for writing.",
                "Wait until it has ended.",
            ),
        ),
    ),
    _row(
        About.STATE,
        "no-state",
        "There is no state/ ….",
        "`verify` was called where nothing was applied yet, or in another folder.",
        "Call it in a repository with a state, or name one with --chdir.",
        (
            Case(
                "There is no state/ in this commit.",
                "The commit that --rev names is older than the first apply.",
                "Name a later commit.",
            ),
        ),
    ),
    _row(
        About.STATE,
        "state-unreadable",
        "meta.json is missing from state/ledger, but portals are there.",
        "A ledger that does not belong together.",
        "Restore it from git.",
    ),
    _row(
        About.STATE,
        "ledger-unreadable",
        "state/ledger/… cannot be read.",
        "A file of the ledger is damaged, such as by a merge conflict that was committed.",
        "Restore it from git; the ledger is written by the tool only.",
        example="git checkout HEAD~1 -- state/ledger",
    ),
    _row(
        About.STATE,
        "ledger-version",
        "state/ledger/… has format version …, this tool reads 1.",
        "Another version of this tool wrote the ledger.",
        "Use the version of the tool that wrote it, or a newer one.",
    ),
    _row(
        About.STATE,
        "database-unreadable",
        "The state DB reconciler.db cannot be read.",
        "The file is damaged or no state DB.",
        _REBUILD,
    ),
    _row(
        About.STATE,
        "database-unusable",
        "The state DB reconciler.db cannot be used.",
        "The file may not be written, or the disk is full.",
        "Check the permissions of the folder state, and the free space there and in the folder for temporary files.",
    ),
    _row(
        About.STATE,
        "lineage-mismatch",
        "The state DB belongs to another state than the ledger.",
        "A database was copied from another repository.",
        _REBUILD,
    ),
    _row(
        About.STATE,
        "state-diverged",
        "The ledger of portal … and the state DB have gone different ways since serial ….",
        "Two runs have written different histories of one portal.",
        "To go on from the ledger in git, delete state/reconciler.db. To go on from the database, delete that ledger "
        "file.",
    ),
    _row(
        About.STATE,
        "state-not-writable",
        "… cannot be written.",
        "No permission, or no space.",
        "Check the permissions of the folder state, and the free space there.",
    ),
    _row(
        About.STATE,
        "emulation-refused",
        "This state holds observations of real tenants; the emulator must not overwrite them.",
        "The emulator was asked for in a repository that has read real tenants.",
        "Emulate in a folder of its own: reconcile --chdir DIR --emulate SCENARIO apply.",
    ),
    _row(
        About.STATE,
        "git-failed",
        "git … failed.",
        "The program git cannot be run, or does not do what `reconcile publish` or `reconcile verify` needs.",
        "What git says stands in parentheses. Mend it there, then run it again.",
        (
            Case(
                "This folder is in no clone of a git repository.",
                "`reconcile publish` runs outside of a git repository.",
                "Run it in a clone of the repository, or name one with --chdir.",
            ),
            Case(
                "There is no commit in this repository yet.",
                "`reconcile publish` runs before the first commit. The state says of which commit it is.",
                "Commit the portals, and push them.",
            ),
            Case(
                "The remote has no branch ….",
                "The state is to wait for a pull request to a branch that is not there.",
                "Push the branch first, or name another one with --branch.",
            ),
        ),
    ),
    _row(
        About.STATE,
        "checkout-changed",
        "… has changes that are not committed.",
        "`reconcile publish` says in its commit which commit it applied, so nothing else may be there.",
        "Commit or undo the changes outside of state/.",
        (
            Case(
                "… is not in git.",
                "A portal or the settings stand in a file that is in no commit, be it that .gitignore names it.",
                "Commit the file, or move it out of the repository.",
            ),
        ),
    ),
    _row(
        About.STATE,
        "commit-not-pushed",
        "Your commit … is not on ….",
        "`reconcile publish` pushes state and nothing else, and a commit here changes something outside of state/ that "
        "the branch has not. No tenant was read.",
        "Push the commit first, by a pull request where you work with them, or rebase it onto the branch and then push "
        "it. Where somebody has pushed to the branch with force, and the commit is not yours, begin in a new clone.",
    ),
    _row(
        About.STATE,
        "push-failed",
        "The state could not be pushed to ….",
        "The remote was not reached, or does not know who pushes. What was committed stays in the clone.",
        "Check network and credentials of git: a job must be allowed to write to the repository. Then run it again.",
        (
            Case(
                "The branch … could not be fetched.",
                "The remote was not reached, or does not know who asks. No tenant was read.",
                "Check network and credentials of git, and the remote `origin`. Then run it again.",
            ),
        ),
    ),
    _row(
        About.STATE,
        "push-contested",
        "Other runs pushed to … first, … times.",
        "Several runs publish to the same branch all the time.",
        "Run it again. Let the CI run one at a time: concurrency, resource_group or an exclusive lock.",
    ),
    _row(
        About.STATE,
        "push-refused",
        "Neither … nor … takes the state.",
        "The branch is protected, and so is the one for a pull request.",
        "Let the job write to branches whose name begins with reconcile/state-.",
    ),
    _row(
        About.STATE,
        "branch-rewritten",
        "… does not have the commit any more that this run began with.",
        "Somebody pushed with force while the run was at work.",
        "Run it again, in a new clone.",
    ),
)
"""State DB, ledger or report. Nothing was written."""
