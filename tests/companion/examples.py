#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the examples for configuration tools, and gives the rules in them to earlybind.

usage: examples.py GUIDE TREE

Each ``` block of GUIDE that is for a tool in TOOLS must be YAML of the shape that this tool takes. A file
/etc/earlybind.conf in it must be one that "earlybind embed --check" takes, and words for the kernel command
line must bind both functions of the Alveo card of TREE, without a problem. Uses $EARLYBIND.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

EARLYBIND = os.environ["EARLYBIND"]
CARD = {"0000:01:00.0", "0000:01:00.1"}


def plan(*options):
    said = subprocess.run([EARLYBIND, "plan", "--json", "--sysroot", sys.argv[2], *options],
                          stdout=subprocess.PIPE, check=False).stdout
    told = json.loads(said)
    bound = {d["address"] for d in told["devices"] if d["action"] in ("bind", "recover")}
    assert bound == CARD, f"bound would be {sorted(bound)}"
    assert not told["problems"], told["problems"]


def check_file(text):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        subprocess.run([EARLYBIND, "embed", "--check", "--config", file.name], check=True,
                       stdout=subprocess.DEVNULL)
        plan("--cmdline", "intel_iommu=on", "--config", file.name)


def check_words(words):
    assert all(isinstance(w, str) and " " not in w for w in words), words
    plan("--cmdline", " ".join(words))


def ansible(tasks):
    copy = tasks[0]["ansible.builtin.copy"]
    assert copy["dest"] == "/etc/earlybind.conf" and "%s" in copy["validate"]
    # "%s" is the new file.
    words = copy["validate"].split()
    assert words[0] == "earlybind" and words[-2:] == ["--config", "%s"], words
    check_file(copy["content"])
    handlers = {task["name"] for task in tasks if "notify" not in task}
    assert tasks[0]["notify"] in handlers, "the handler has another name"


def cloud_init(config):
    file, = config["write_files"]
    assert file["path"] == "/etc/earlybind.conf" and config["power_state"]["mode"] == "reboot"
    check_file(file["content"])
    assert config["runcmd"] == ["earlybind apply"]


def butane(config):
    assert re.fullmatch(r"\d+\.\d+\.\d+", config["version"]), "no version of Butane"
    check_words(config["kernel_arguments"]["should_exist"])


def machine_config(config):
    assert config["apiVersion"] == "machineconfiguration.openshift.io/v1"
    assert re.fullmatch(r"[a-z0-9-]+", config["metadata"]["name"])
    assert "machineconfiguration.openshift.io/role" in config["metadata"]["labels"]
    check_words(config["spec"]["kernelArguments"])


TOOLS = {"- name: ": ansible, "#cloud-config": cloud_init, "variant: fcos": butane,
         "apiVersion: ": machine_config}


def main():
    text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    seen = set()
    for block in re.findall(r"^```\n(.*?)^```", text, re.M | re.S):
        for begin, check in TOOLS.items():
            if block.startswith(begin):
                check(yaml.safe_load(block))
                seen.add(begin)
    missing = set(TOOLS) - seen
    assert not missing, f"no example begins with {sorted(missing)}"
    print(f"{len(seen)} examples")


main()
