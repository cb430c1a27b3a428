#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON output of the companion and the binder against docs/schema.

usage: schemas.py files FOLDER          each SCHEMA.NAME.json in FOLDER
       schemas.py trees FOLDER...       what the commands say of each of these machines
       schemas.py damaged FOLDER        the same files, each damaged at every place: must not pass
       schemas.py same                  what has one name in several schemas is one thing

Uses $EARLYBIND and $BINDER_RUN. In the schemas more fields are allowed, for those who read the
output of a newer version; here they are not, or a schema would fall behind.
"""
import json
import os
import pathlib
import subprocess
import sys

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "docs/schema"
EARLYBIND = os.environ.get("EARLYBIND", "earlybind")
BINDER = os.environ.get("BINDER_RUN", "binder")
DEVICES_MAX = 48  # of one command line
SECONDS_MAX = 60
# SCHEMA and the command; DEVICES stands for the addresses of the tree's functions, DEVICE for the
# last one.
COMMANDS = [
    ("list", ["list", "--json"]),
    ("list", ["list", "--json", "--why"]),
    ("list", ["list", "--json", "--accel"]),
    ("plan", ["plan", "--json"]),
    ("status", ["status", "--json"]),
    ("check", ["check", "--json"]),
    ("explain", ["explain", "--json", "DEVICES"]),
    ("import", ["import", "--json"]),
    ("export", ["export", "json"]),
    ("add", ["add", "--json", "--dry-run", "DEVICE"]),
    ("keep", ["keep", "--json", "--dry-run", "DEVICE"]),
    ("remove", ["remove", "--json", "--dry-run", "DEVICE"]),
    ("apply", ["apply", "--json", "--dry-run"]),
    ("cmdline", ["cmdline", "--json"]),
    ("cmdline", ["cmdline", "--json", "--dry-run", "--set"]),
]


def closed(schema):
    """The schema without room for fields that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        made["additionalProperties"] = False
    return made


def load(name):
    with open(SCHEMAS / f"{name}.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(closed(schema))


class Schemas:
    """The schemas, each read once, and what did not pass."""

    def __init__(self):
        self.known = {}
        self.seen = set()
        self.count = 0
        self.failures = []

    def get(self, name):
        if name not in self.known:
            self.known[name] = load(name)
        return self.known[name]

    def check(self, name, text, what):
        self.count += 1
        try:
            document = json.loads(text)
        except ValueError as error:
            self.failures.append(f"{what}: not JSON: {error}")
            return
        self.seen.add(name)
        error = jsonschema.exceptions.best_match(self.get(name).iter_errors(document))
        if error:
            self.failures.append(f"{what}: {name}.json: {error.json_path}: {error.message[:200]}")

    def finish(self):
        for line in self.failures[:20]:
            print(line)
        print(f"{self.count} documents, {len(self.failures)} are not as docs/schema says")
        sys.exit(bool(self.failures) or self.count == 0)


def check_files(folder):
    schemas = Schemas()
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        schemas.check(path.name.split(".")[0], path.read_text(encoding="utf-8"), path.name)
    schemas.finish()


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX,
                          check=False).stdout


def check_tree(schemas, tree):
    bus = tree / "sys/bus/pci/devices"
    devices = sorted(os.listdir(bus))[:DEVICES_MAX] if bus.is_dir() else []
    for name, words in COMMANDS:
        if words[-1].startswith("DEVICE"):
            if not devices:
                continue
            words = words[:-1] + (devices if words[-1] == "DEVICES" else devices[-1:])
        text = run([EARLYBIND, *words, "--sysroot", str(tree)])
        # Without a bus, or without a bound device, there is a message and no document.
        if text:
            schemas.check(name, text, f"{' '.join(words[:3])} --sysroot {tree.name}")
    # A dry run, which prints its report.
    text = run([BINDER, "--sysroot", str(tree)])
    if text:
        schemas.check("report", text, f"binder --sysroot {tree.name}")


def check_trees(folders):
    schemas = Schemas()
    for folder in folders:
        check_tree(schemas, pathlib.Path(folder))
    for name in {name for name, words in COMMANDS} | {"report"}:
        if name not in schemas.seen:
            schemas.failures.append(f"no document for {name}.json was seen")
    schemas.finish()


def damages(node, path=""):
    """Each place of a document: its path, the object or list that it is in, and its key."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if isinstance(node, list) and len(keys) > 2:
        # Of a list its first and its last item are enough.
        keys = [keys[0], keys[-1]]
    for key in keys:
        here = f"{path}.{key}"
        yield here, node, key
        if isinstance(node[key], (dict, list)):
            yield from damages(node[key], here)


def check_damage(validator, document, what):
    """Places where another value, another key or a strange one beside it goes unnoticed."""
    missed = []
    for where, node, key in damages(document):
        old = node[key]
        node[key] = {"damaged": True}
        if validator.is_valid(document):
            missed.append(f"{what}: {where} replaced")
        node[key] = old
        if not isinstance(node, dict):
            continue
        del node[key]
        node[f"{key}_"] = old
        if validator.is_valid(document):
            missed.append(f"{what}: {where} renamed")
        del node[f"{key}_"]
        node[key] = old
    return missed


def check_damaged(folder):
    schemas = Schemas()
    done = {}
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        name = path.name.split(".")[0]
        document = json.loads(path.read_text(encoding="utf-8"))
        # The first three of each kind.
        done[name] = done.get(name, 0) + 1
        if done[name] > 3:
            continue
        schemas.count += 1
        schemas.failures += check_damage(schemas.get(name), document, path.name)
    schemas.finish()


def check_same():
    parts, schemas = {}, Schemas()
    for path in sorted(SCHEMAS.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        schemas.count += 1
        schemas.get(path.stem)
        for name, part in schema.get("$defs", {}).items():
            if parts.setdefault(name, part) != part:
                schemas.failures.append(f"{path.name}: {name} differs from that of another schema")
            if f'"#/$defs/{name}"' not in path.read_text(encoding="utf-8"):
                schemas.failures.append(f"{path.name}: {name} is not used")
    schemas.finish()


def main():
    if sys.argv[1:] == ["same"]:
        check_same()
    elif len(sys.argv) > 2 and sys.argv[1] == "trees":
        check_trees(sys.argv[2:])
    elif len(sys.argv) == 3 and sys.argv[1] in ("files", "damaged"):
        {"files": check_files, "damaged": check_damaged}[sys.argv[1]](sys.argv[2])
    sys.exit(__doc__)


main()
