"""Who may ask which route, in one table: whatever is not in it is refused. A test holds it against the router.

`data` says that the answer is made of findings or cases: it is of the viewer's divisions alone, and only roles that see
data may have it. The part that signs people in adds its own routes here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensor.model.scope import DATA_ROLES, NAMING_ROLES, ROLES, WORK_ROLES, Role, Viewer


@dataclass(frozen=True, slots=True)
class RouteRule:
    """The rule of a route."""

    roles: frozenset[Role]
    data: bool = False  # findings or cases, of the viewer's divisions
    works: bool = False  # changes cases
    public: bool = False  # also for whoever has not signed in: nothing of the ledger is in it
    scope: str = ""  # asked by programs alone, whose token has it, and by no cookie

    def admits(self, viewer: Viewer) -> bool:
        """Whether somebody who is signed in may ask."""
        return viewer.role in self.roles


DATA = RouteRule(DATA_ROLES, data=True)
WORK = RouteRule(WORK_ROLES, data=True, works=True)
EVERYBODY = RouteRule(frozenset(ROLES))
PUBLIC = RouteRule(frozenset(ROLES), public=True)

#: By the name of the route.
RULES: dict[str, RouteRule] = {
    "style": PUBLIC,
    "health": PUBLIC,
    "start": EVERYBODY,
    "overview": DATA,
    "search": DATA,
    "enterprises": DATA,
    "enterprise": DATA,
    "sites": DATA,
    "site": DATA,
    "addresses": DATA,
    "address": DATA,
    "findings": DATA,
    "finding": DATA,
    "capture": DATA,
    "cases": DATA,
    "case": DATA,
    "work-on-case": WORK,
    "work-on-cases": WORK,
    "attach": WORK,
    "attachment": RouteRule(WORK_ROLES, data=True),
    "remove-attachment": RouteRule(frozenset({"lead"}), data=True, works=True),
    "bulletins": RouteRule(DATA_ROLES),  # how far those of one's own are: no finding is on these pages
    "start-bulletin": RouteRule(DATA_ROLES),
    "bulletin": RouteRule(DATA_ROLES),
    "bulletin-file": DATA,
    "pools": DATA,
    "shared": DATA,
    "nodes": DATA,
    "sensors": RouteRule(DATA_ROLES | {"admin"}),
    "sign-in": PUBLIC,
    "enter": PUBLIC,
    "to-provider": PUBLIC,
    "from-provider": PUBLIC,
    "sign-out": PUBLIC,
    "account": PUBLIC,  # whoever has to change the password is not signed in for anything else; it asks for itself
    "own-password": PUBLIC,
    "own-language": PUBLIC,
    "own-sessions": PUBLIC,
    "people": RouteRule(frozenset({"admin", "lead"})),
    "add-person": RouteRule(frozenset({"admin"})),
    "person": RouteRule(frozenset({"admin", "lead"})),
    "change-person": RouteRule(frozenset({"admin", "lead"})),
    "audit": RouteRule(frozenset({"auditor"})),
    "own-tokens": RouteRule(DATA_ROLES),
    "add-token": RouteRule(DATA_ROLES),
    "end-token": RouteRule(DATA_ROLES),
    "interface-description": PUBLIC,
    "interface-findings": RouteRule(DATA_ROLES, data=True, scope="read:findings"),
    "interface-finding": RouteRule(DATA_ROLES, data=True, scope="read:findings"),
    "interface-cases": RouteRule(DATA_ROLES, data=True, scope="read:cases"),
    "interface-case": RouteRule(DATA_ROLES, data=True, scope="read:cases"),
    "interface-enterprises": RouteRule(DATA_ROLES, data=True, scope="read:owners"),
    "interface-enterprise": RouteRule(DATA_ROLES, data=True, scope="read:owners"),
    "interface-sites": RouteRule(DATA_ROLES, data=True, scope="read:owners"),
    "interface-site": RouteRule(DATA_ROLES, data=True, scope="read:owners"),
    "interface-addresses": RouteRule(DATA_ROLES, data=True, scope="read:owners"),
    "interface-address": RouteRule(DATA_ROLES, data=True, scope="read:owners"),
    "interface-shared": RouteRule(DATA_ROLES, data=True, scope="read:findings"),
    "interface-figures": RouteRule(DATA_ROLES, data=True, scope="read:figures"),
    "interface-sensors": RouteRule(DATA_ROLES, data=True, scope="read:sensors"),
    "save-view": RouteRule(DATA_ROLES),
    "remove-view": RouteRule(DATA_ROLES),
    "person-name": RouteRule(NAMING_ROLES),  # of his divisions; with a reason, and a row before
}
