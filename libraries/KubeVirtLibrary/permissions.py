# SPDX-License-Identifier: Apache-2.0
"""Keywords: what the user may do, and a VM owner who has the rights of one namespace only."""

from __future__ import annotations

from typing import Literal, get_args

from livenad.errors import TestError
from livenad.permissions.rights import UserAction
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import step

ForbiddenAction = Literal["create a migration object", "change a NAD", "list VMs of another namespace"]


class PermissionKeywords(KeywordComponent):
    """A VM owner's requests are made with a token of the owner."""

    @keyword(name="User Should Be Allowed To", tags=["permissions", "core"])
    def user_should_be_allowed_to(self, *actions: UserAction) -> None:
        """Fails with a LAB ERROR that lists each right that the user of this run lacks for the given actions.

        | =Action= | =What it is= |
        | ``restart-vms`` | ``virtctl restart`` |
        | ``start-and-stop-vms`` | ``virtctl start`` and ``stop`` |
        | ``migrate-vms`` | ``virtctl migrate`` |
        | ``break-migrations`` | deletion of launcher pods |
        | ``make-vm-owners`` | service accounts with the role ``edit`` of a namespace |

        Args:
        | ``actions`` | names of the table. |

        Example:
        | User Should Be Allowed To    migrate-vms    make-vm-owners
        """
        if not actions:
            raise TestError(f"no action is named; expected one of {', '.join(get_args(UserAction))}")
        rights = self.run.preflight.require_rights(actions)
        step(f"The user may {', '.join(actions)}: " + "; ".join(map(str, rights)))

    @keyword(name="Create VM Owner", tags=["permissions", "core"])
    def create_vm_owner(self, name: str) -> None:
        """Creates a service account with the namespace role ``edit``; `Change VM Network` takes it as ``as_user``.

        Call `User Should Be Allowed To` ``make-vm-owners`` first. If the user of this run lacks these rights, it is a
        LAB ERROR.

        Args:
        | ``name`` | name of the service account. |

        Example:
        | Create VM Owner    alice
        """
        from livenad.permissions.vm_owner import create_owner  # noqa: PLC0415 - slow to import

        run, suite = self.run, self.suite
        suite.users[name] = create_owner(
            run.cluster, run.created, suite.namespace, name, verify=run.settings.verify_tls
        )
        step(f"VM owner {suite.namespace.name}/{name} has the role edit there")

    @keyword(name="User Should Be Forbidden To", tags=["permissions", "core"])
    def user_should_be_forbidden_to(self, user: str, action: ForbiddenAction, *, subject: str) -> None:
        """Fails unless the API server forbids a VM owner an action (403). The request is a dry run: nothing is changed.

        Any other answer makes the keyword fail, also a rejection of the content of the request (400, 404, 409, 422):
        the API server checks rights first, so the action was not forbidden.

        Args:
        | ``user`` | a user of `Create VM Owner`. |
        | ``action`` | what the user must not be able to do. |
        | ``subject`` | the VM, the NAD, or the other namespace. |

        Example:
        | User Should Be Forbidden To    alice    change a NAD    subject=old-network
        """
        from livenad.permissions.forbidden import judge_forbidden, refusal_of  # noqa: PLC0415 - slow to import

        users, namespace = self.suite.users, self.suite.namespace
        if user not in users:
            raise TestError(
                f'user "{user}" does not exist; call `Create VM Owner`; existing users: {", ".join(users) or "none"}'
            )
        refusal = refusal_of(users[user], namespace, action, subject)
        owner = f"{namespace.name}/{user}"
        step(self.suite.verdicts.of_samples(judge_forbidden, owner, action, subject, refusal))
