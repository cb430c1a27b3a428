#!/usr/bin/python3
"""Boots machines by lot and judges what earlybind says of their IOMMU groups; see run.sh."""

import argparse
import concurrent.futures
import json
import os
import shutil
import sys
import threading

import boot
import judge
import lot


class Suite:
    def __init__(self, options):
        self.options = options
        self.failed = 0
        self.lock = threading.Lock()
        self.totals = {"boots": 0, "functions": 0, "moves": 0, "ports": 0, "parameters": 0}
        self.image = f"{options.out}/image"
        with open(options.init, "rb") as init, open(options.earlybind, "rb") as earlybind:
            boot.make_image(self.image, [
                ("init", 0o100755, init.read()), ("earlybind", 0o100755, earlybind.read()),
                ("dev", 0o40755, b""), ("dev/console", 0o20600, b"")])

    def tell(self, name, reason):
        """One line of the results."""
        word = "fail" if reason else "pass"
        with self.lock:
            print(f"{word.upper()} groups: {name}{': ' + reason if reason else ''}", flush=True)
            with open(self.options.results, "a", encoding="utf-8") as file:
                end = f"\t{' '.join(reason.split())}" if reason else ""
                file.write(f"{word}\tgroups\t{name}{end}\n")
            self.failed += bool(reason)

    def count(self, kind, number=1):
        with self.lock:
            self.totals[kind] += number

    def boot(self, name, machine, kernel):
        """The recording of a boot, whose groups are judged; None if there is none."""
        folder = f"{self.options.out}/{name.replace(' ', '-')}"
        try:
            seconds = boot.boot(folder, machine, kernel, self.image)
            recording = judge.Recording(f"{folder}/capture.tar.gz")
            reason = judge.judge_boot(self.options.earlybind, recording)
            with open(f"{folder}/list.json", encoding="utf-8") as file:
                live = json.load(file)["computed_groups"]
            if not reason and (live is None or recording.to_places(live) != recording.groups):
                reason = "in the machine itself earlybind computed other groups"
        except (boot.BootError, OSError, ValueError, KeyError) as error:
            self.tell(name, f"{error} ({folder})")
            return None
        self.count("boots")
        self.count("functions", len(recording.places))
        print(f"{name}: {len(recording.places)} functions, {len(recording.groups)} groups, "
              f"{seconds:.0f} s")
        self.tell(name, reason and f"{reason} ({folder})")
        return recording

    def compare(self, name, kind, judged, first, second, question):
        """What was promised of the first machine, beside the boot of the second."""
        if not first or not second:
            return
        try:
            reason = judged(self.options.earlybind, first, second, question)
        except (ValueError, KeyError) as error:
            reason = str(error)
        self.count(kind)
        self.tell(name, reason)

    def run_machine(self, suite, kernel, seed):
        machine = lot.Machine(seed)
        moved = machine.move()
        off = machine.switch_off(suite != "bookworm" and seed % 2 == 0)
        name = f"{suite} machine {seed}"
        base = self.boot(name, machine, kernel)
        if moved:
            question = {"card": moved[1], "target": moved[2]}
            self.compare(f"{name} move promised", "moves", judge.judge_move, base,
                         self.boot(f"{name} card moved", moved[0], kernel), question)
        if not off:
            return
        without = self.boot(f"{name} port without ACS", off[0], kernel)
        self.compare(f"{name} ACS promised", "ports", judge.judge_acs, without, base,
                     {"acs": off[1]})
        if without and base and judge.loses_cards(without, base):
            self.compare(f"{name} parameter promised", "parameters", judge.judge_parameter,
                         without, base, {"word": off[0].words})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--init", "--earlybind", "--out", "--results"):
        parser.add_argument(name, required=True)
    parser.add_argument("--machines", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("kernels", nargs="+", metavar="SUITE=VMLINUZ")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    os.makedirs(options.out)
    suite = Suite(options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = []
        for kernel in options.kernels:
            name, _, path = kernel.partition("=")
            runs += [pool.submit(suite.run_machine, name, path, seed)
                     for seed in range(options.seed, options.seed + options.machines)]
        for run in runs:
            run.result()
    print("groups: {boots} boots, {functions} functions, {moves} moves, {ports} ports, "
          "{parameters} parameters".format(**suite.totals))
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
