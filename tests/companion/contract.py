#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks a JSON document of the companion against what scripts may rely on.

usage: contract.py list|plan|status|check FILE
       contract.py same PLAN REPORT      a plan and the binder's dry run say the same
       contract.py fields REPORT...      the first report has every field of the others
"""
import json
import re
import sys

HEX = {"vendor": 4, "device": 4, "subsystem_vendor": 4, "subsystem_device": 4, "class": 6}
ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")
ACTIONS = {"bind", "recover", "done", "keep", "refuse"}
PLAN_DEVICE = {"address", "id", "subsystem", "class", "iommu_group", "driver", "wanted",
               "action", "rule", "reason"}
SHAPES = {
    "list": {"schema": None, "devices": {"address", "path", "driver", "driver_override",
                                         "iommu_group", "modules", "reset_methods", "boot_vga",
                                         "virtual_functions", "physical_function", "used_by",
                                         *HEX},
             "groups": {"id", "viable", "blockers"}},
    "plan": {"schema": None, "rules": {"text", "origin"}, "devices": PLAN_DEVICE,
             "groups": {"id", "viable", "blockers"}, "problems": {"origin", "text", "message"}},
    "status": {"schema": None, "report": None, "all_well": None,
               "devices": {"address", "id", "wanted", "rule", "origin", "verdict", "reason",
                           "message", "before", "after", "driver", "late", "present",
                           "changed"},
               "groups": {"id", "viable", "blockers"}, "modules": {"name", "outcome"}},
    "check": {"schema": None, "image": None, "generator": None, "systemd": None,
              "kernels": None,
              "segments": {"offset", "compression", "size", "unpacked", "entries"},
              "checks": {"name", "verdict", "message"}},
    "doctor": {"schema": None, "running": None, "kernels": {"release", "image"},
               "devices": None, "checks": {"name", "verdict", "message"}},
}


def expect(condition, what):
    if not condition:
        sys.exit(f"contract: {what}")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_device(kind, device):
    expect(ADDRESS.fullmatch(device["address"]), f"address {device['address']}")
    group = device.get("iommu_group")
    expect(group is None or isinstance(group, int), f"iommu_group {group!r}")
    for key in ("driver", "driver_override", "wanted", "reason"):
        value = device.get(key)
        expect(value is None or (isinstance(value, str) and value), f"{key} {value!r}")
    if kind == "list":
        for key, digits in HEX.items():
            expect(re.fullmatch(rf"[0-9a-f]{{{digits}}}", device[key]), f"{key} {device[key]}")
        for key in ("modules", "reset_methods"):
            expect(all(isinstance(name, str) for name in device[key]), key)
        for use in device["used_by"]:
            expect(set(use) >= {"kind", "name", "what", "in_use", "critical"}, "used_by")
            expect(use["in_use"] or not use["critical"], "critical, and not in use")
    if kind == "plan":
        expect(device["action"] in ACTIONS, f"action {device['action']}")
        expect((device["action"] in {"keep", "refuse"}) == (device["reason"] is not None),
               "a reason for keep and refuse, and only there")


def check(kind, path):
    document = load(path)
    if kind == "check" and "image" not in document:
        kind = "doctor"
    expect(document.get("schema") == 1, "schema")
    for name, keys in SHAPES[kind].items():
        expect(name in document, f"no {name}")
        for item in document[name] if keys else []:
            expect(keys <= set(item), f"{name}: no {sorted(keys - set(item))}")
    for device in document.get("devices", []) if kind != "doctor" else []:
        check_device(kind, device)
    for group in document.get("groups", []):
        expect(group["viable"] == (not group["blockers"]), "viable without blockers")


def check_same(plan_path, report_path):
    plan, report = load(plan_path), load(report_path)
    expect(plan["devices"], "no devices")
    for name, keys in (("rules", ("text", "origin", "kind", "matched")),
                       ("devices", ("address", "action", "wanted", "rule", "origin", "reason"))):
        one, other = ([[item[key] for key in keys] for item in document[name]]
                      for document in (plan, report))
        expect(one == other, f"{name}: the plan has {one}, the binder {other}")


def check_fields(real_path, paths):
    real = load(real_path)
    for path in paths:
        made = load(path)
        expect(set(made) <= set(real), f"{path}: {set(made) - set(real)}")
        for name in ("rules", "devices"):
            for item in made[name]:
                expect(set(item) <= set(real[name][0]),
                       f"{path}: {name}: {set(item) - set(real[name][0])}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[1] == "same":
        check_same(*sys.argv[2:])
    elif sys.argv[1] == "fields":
        check_fields(sys.argv[2], sys.argv[3:])
    else:
        check(*sys.argv[1:])


main()
