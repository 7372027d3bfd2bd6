"""`python -m libs.common.contracts` writes the JSON Schemas of the contracts, and refuses to break a promise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from libs.common.contracts import CONTRACTS
from libs.common.contracts.compatibility import breaks
from libs.common.contracts.schema import schema_of

SCHEMAS = Path(__file__).parent / "schemas"


def schema_text(schema: dict[str, Any]) -> bytes:
    """A schema as it is kept: indented, in its own order, with a line end."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n"


def write_schemas(folder: Path) -> list[str]:
    """Write every contract's schema into `folder`, unless one breaks what is kept there: then say what, and stop."""
    schemas = {f"{contract.TYPE}.json": schema_of(contract) for contract in CONTRACTS}
    broken = [
        f"{name}{place}"
        for name, schema in schemas.items()
        if (folder / name).exists()
        for place in breaks(orjson.loads((folder / name).read_bytes()), schema)
    ]
    broken += [f"{path.name}: the contract was removed" for path in folder.glob("*.json") if path.name not in schemas]
    if not broken:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas.items():
            (folder / name).write_bytes(schema_text(schema))
    return broken


def main() -> int:
    """Write the schemas; the exit status is 1 when a kept one would break."""
    broken = write_schemas(SCHEMAS)
    for line in broken:
        print(f"breaks a promise: {line}", file=sys.stderr)
    if broken:
        print("Add a new major version (…v2) beside the old one instead.", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
