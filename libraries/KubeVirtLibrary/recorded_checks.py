# SPDX-License-Identifier: Apache-2.0
"""Keywords: make a check now and judge it later, for what can be seen only between two changes."""

from __future__ import annotations

from robot.api.deco import keyword
from robot.api.types import KeywordArgument, KeywordName
from robot.libraries.BuiltIn import BuiltIn
from robot.running import RUN_KW_REGISTER

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import heard, step

RECORD_CHECK = "Record Check"
TELL_CHECK = "Recorded Check Should Pass"


class RecordedCheckKeywords(KeywordComponent):
    """A suite setup that changes a VM twice checks in between; the tests then run in any order."""

    @keyword(name=RECORD_CHECK, tags=["recorded checks", "core"])
    def record_check(self, title: str, name: KeywordName, *arguments: KeywordArgument) -> None:
        """Runs a keyword that checks something now, and stores its outcome under a title. Does not fail.

        `Recorded Check Should Pass` fails later if the check failed. So a suite setup can check something at the right
        moment, and a test can report it.

        Args:
        | ``title`` | title of the check, chosen by you. |
        | ``name`` | the keyword that checks. |
        | ``arguments`` | its arguments. |

        Example:
        | Record Check    reaches new-peer    Guests Should Reach Each Other    web    new-peer    nic=secondary
        | ...    within=1 min
        """
        self.suite.checks.making = title
        known = len(self.suite.unobserved)
        with heard() as lines:
            status, message = BuiltIn().run_keyword_and_ignore_error(name, *arguments)
        unobserved = self.suite.unobserved[known:]
        del self.suite.unobserved[known:]
        self.suite.checks.record(title, None if status == "PASS" else str(message), "; ".join(lines), unobserved)
        step(f'Check "{title}" {"passed" if status == "PASS" else "failed"}; `Recorded Check Should Pass` reports it')

    @keyword(name=TELL_CHECK, tags=["recorded checks", "core"])
    def recorded_check_should_pass(self, title: str) -> None:
        """Fails if the check of `Record Check` failed, with the message of that failure.

        If the check passed, the log says when, and what it saw.

        Args:
        | ``title`` | the title that `Record Check` was given. |

        Example:
        | Recorded Check Should Pass    reaches new-peer
        """
        step(self.suite.checks.require_passed(title))
        self.suite.unobserved += self.suite.checks.unobserved


# Robot shows the check to a dry run, and leaves variables in its arguments to it.
RUN_KW_REGISTER.register_run_keyword("KubeVirtLibrary", RECORD_CHECK, 1, deprecation_warning=False, dry_run=True)
