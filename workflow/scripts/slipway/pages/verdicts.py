"""An image's verdict: every run with its checks, what was adapted to this host, and the command to repeat it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workflow.scripts.slipway.pages.html import Html, block, code, duration, facts, size, status, tag

Json = Mapping[str, Any]


def section(name: str, verdict: Json) -> Html:
    host, engine = verdict["host"], verdict["engine"]
    return tag(
        "section",
        tag("h2", f"Image {name} ", status(verdict["status"])),
        tag("p", verdict["reason"], class_="lead"),
        facts(
            ("Tag", verdict["tag"] and code(verdict["tag"])),
            ("Image id", verdict["image_id"] and code(verdict["image_id"])),
            ("Engine", " ".join(filter(None, (engine["name"], engine["version"])))),
            ("Tested on", _host(host)),
        ),
        *[_run(run) for run in verdict["runs"]],
        id=f"image-{name}",
    )


def _host(host: Json) -> str:
    parts = [
        f"{host['cpus']} CPU cores" if host.get("cpus") else "",
        f"{size(host['memory'])} of memory" if host.get("memory") else "",
        f"{host['gpus']} GPUs" if host.get("gpus") else "no GPU",
    ]
    return ", ".join(filter(None, parts))


def _run(run: Json) -> Html:
    exit_code = run["exit_code"]
    ended = duration(run["seconds"]) + (f", exit code {exit_code}" if exit_code is not None else "")
    return tag(
        "article",
        tag("h3", f"Profile {run['profile']} ", status(run["status"]), " ", tag("small", ended)),
        tag("p", run["reason"]) if run["status"] == "FAIL" else None,
        _checks(run["checks"]) if run["checks"] else None,
        _adapted(run["adapted"]) if run["adapted"] else None,
        tag("h4", "The command that ran") if run["command"] else None,
        block(run["command"]) if run["command"] else None,
        tag("p", "Its output: ", code(run["log"]), class_="quiet") if run.get("log") else None,
    )


def _checks(checks: list[Json]) -> Html:
    titles = ("Status", "Check", "Expected", "Got", "Headroom")
    return tag(
        "table",
        tag("thead", tag("tr", *[tag("th", title, scope="col") for title in titles])),
        tag("tbody", *[_check(check) for check in checks]),
        class_="checks",
    )


def _check(check: Json) -> Html:
    word = check["status"]
    note = check.get("note") or ""
    return tag(
        "tr",
        tag("td", status(word), class_="word"),
        tag("th", check["name"], tag("span", note, class_="note") if note and word != "PASS" else None, scope="row"),
        tag("td", check["expected"], data_label="Expected"),
        tag("td", check["got"] or "–", data_label="Got"),
        tag("td", headroom(check.get("headroom") or ""), data_label="Headroom", class_="room"),
        class_=word.lower(),
    )


def headroom(text: str) -> Html | None:
    """A bar of what was used of a limit, beside the words of what was left."""
    found = re.fullmatch(r"\s*(-?[\d.]+)\s*%\s*", text)
    if found is None:
        return tag("span", text) if text else None
    used = min(100.0, max(0.0, 100.0 - float(found[1])))
    bar = tag("span", tag("span", style=f"width:{used:g}%"), class_="bar" if used < 90 else "bar tight")
    return tag("span", bar, tag("span", f"{found[1]} % left", class_="left"), class_="headroom")


def _adapted(adapted: list[Json]) -> Html:
    return tag(
        "div",
        tag("h4", "Adapted to this host"),
        tag("p", "The organisers' machine keeps these flags as they are. Here they could not hold:"),
        tag(
            "ul",
            *[
                tag(
                    "li",
                    code(one["flag"]),
                    " became ",
                    code(one["used"]) if one["used"] else "nothing",
                    ": ",
                    one["why"],
                )
                for one in adapted
            ],
        ),
        class_="adapted",
    )
