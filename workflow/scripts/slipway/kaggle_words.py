"""What Kaggle's program says, as sentences that tell what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable

from containers.kit.errors import WORDS, UserError
from workflow.scripts.slipway.kaggle_access import Secrets

PROGRESS = re.compile(r"\d%\|.*|.*\d[kMG]?B?/s\]?")
RULES = r"accept\b.*\brules|\b403\s*(-|client error|forbidden)|\bforbidden\b"
UNKNOWN = r"\b401\s*(-|client error|unauthorized)|\bunauthorized\b|unauthenticated|authentication required"
AWAY = (
    r"name resolution|name or service not known|max retries|connection ?(error|refused|reset|aborted)|"
    r"failed to establish|timed? ?out|network is unreachable|could not submit to competition"
)
CREDENTIALS = "Kaggle does not know these credentials; make a new key in the settings of the account on Kaggle, and "
NETWORK = "Kaggle cannot be reached (the program says: {said}); see that this machine has a network, and "

SENT_AGAIN = "run the same command again, which leaves out what was sent"
SENT = (
    (
        r"\b429\b|too many requests|daily submission|submission allowance|submission limit",
        "Kaggle takes no more files today (it says: {said}); tomorrow (UTC) " + SENT_AGAIN,
    ),
    (
        RULES,
        "Kaggle takes no file of this user for {competition}; accept the rules on the competition's rules page on "
        "Kaggle, if it still takes entries, and " + SENT_AGAIN,
    ),
    (UNKNOWN, CREDENTIALS + SENT_AGAIN),
    (
        r"could not find competition|\b404\s*(-|client error|not found)",
        "Kaggle knows no competition {competition} that takes files; see that --competition is right",
    ),
    (AWAY, NETWORK + SENT_AGAIN),
)

FETCHED_AGAIN = "run it again, and it goes on from there"
FETCHED = (
    (r"no space left|disk quota", "{folder} has no room for what Kaggle gives; make room there, and " + FETCHED_AGAIN),
    (
        RULES,
        "Kaggle gives nothing of {competition} before its rules are accepted; open {page}, accept them there, and run "
        "it again",
    ),
    (UNKNOWN, CREDENTIALS + "run it again"),
    (
        r"could not find competition|\b404\s*(-|client error|not found)",
        "Kaggle knows no competition {competition}; correct kaggle.competition of its row in the table of sources",
    ),
    (r"\b429\b|too many requests", "Kaggle was asked too often (it says: {said}); in an hour " + FETCHED_AGAIN),
    (AWAY, NETWORK + FETCHED_AGAIN),
)


def joined(lines: Iterable[str]) -> str:
    """All that was said, without the lines of its progress bar."""
    stripped = (line.strip() for line in lines)
    return " ".join(line for line in stripped if line and not PROGRESS.fullmatch(line))


def shown(text: str, hidden: Secrets) -> str:
    """The end of it; cut behind the hiding, as a half of a key is no word to look for."""
    return hidden.hide(text)[-WORDS:]


def known(meanings: Iterable[tuple[str, str]], text: str, **facts: object) -> UserError | None:
    """The first meaning that fits."""
    for pattern, meaning in meanings:
        if re.search(pattern, text, re.IGNORECASE):
            return UserError(meaning.format(**facts))
    return None
