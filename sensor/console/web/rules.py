"""Who may ask which route, in one table: whatever is not in it is refused. A test holds it against the router.

`data` says that the answer is made of findings or cases: it is of the viewer's divisions alone, and only roles that see
data may have it. The part that signs people in adds its own routes here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensor.model.scope import DATA_ROLES, NAMING_ROLES, ROLES, Role, Viewer


@dataclass(frozen=True, slots=True)
class RouteRule:
    """The rule of a route."""

    roles: frozenset[Role]
    data: bool = False  # findings or cases, of the viewer's divisions
    public: bool = False  # also for whoever has not signed in: nothing of the ledger is in it

    def admits(self, viewer: Viewer) -> bool:
        """Whether somebody who is signed in may ask."""
        return viewer.role in self.roles


DATA = RouteRule(DATA_ROLES, data=True)
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
    "pools": DATA,
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
    "save-view": RouteRule(DATA_ROLES),
    "remove-view": RouteRule(DATA_ROLES),
    "person-name": RouteRule(NAMING_ROLES),  # of his divisions; with a reason, and a row before
}
