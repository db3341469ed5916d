"""Networks by name, and how one's own is found: `module:Class`, made with the arguments of the settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from containers.kit.errors import UserError

Maker = Callable[..., nn.Module]


def find(name: str, known: Mapping[str, Maker], key: str) -> Maker:
    """What makes the network called `name`; errors begin with `key`, the setting that names it."""
    if name in known:
        return known[name]
    module, colon, attribute = name.partition(":")
    if not colon:
        raise UserError(f"{key} {name!r} is not known; it is one of {', '.join(known)}, or module:Class for one's own")
    try:
        maker: Maker = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{key} {name!r} cannot be imported ({error}); it names a module and a class in it") from None
    return maker


def make(name: str, args: Mapping[str, Any], known: Mapping[str, Maker], key: str, **own: Any) -> nn.Module:
    """The network, made of the setting `key`_args and of what the challenge itself gives it, `own`."""
    maker = find(name, known, key)
    try:
        return maker(**own, **{argument: _as_tuple(value) for argument, value in args.items()})
    except (TypeError, ValueError) as error:
        raise UserError(f"{key}_args does not suit {key} {name}: {error}") from None


def _as_tuple(value: Any) -> Any:
    """JSON has lists where the makers of networks expect tuples."""
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
