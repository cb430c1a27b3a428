"""Compares the kernel's groups with those that earlybind computes, from the recording of a boot."""

import json
import re
import subprocess
import tarfile

ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


class Recording:
    """A recording of "earlybind capture": places (see lot.py) and the kernel's groups."""

    def __init__(self, path):
        self.path = path
        self.places = {}  # address: place
        self.addresses = {}  # place: address
        groups = {}
        classes = {}
        with tarfile.open(path) as tar:
            for member in tar:
                parts = member.name.split("/")
                if parts[-1] == "class" and ADDRESS.fullmatch(parts[-2]):
                    classes[parts[-2]] = tar.extractfile(member).read()
                if not member.issym():
                    continue
                if parts[:4] == ["sys", "bus", "pci", "devices"]:
                    self.add_place(parts[4], member.linkname)
                elif parts[-1] == "iommu_group" and ADDRESS.fullmatch(parts[-2]):
                    groups.setdefault(member.linkname.split("/")[-1], []).append(parts[-2])
        self.groups = {frozenset(self.places[a] for a in members)
                       for members in groups.values()}
        self.numbers = {self.places[a]: int(number) for number, members in groups.items()
                        for a in members}
        self.bridges = {self.places[a] for a, text in classes.items()
                        if text.startswith(b"0x0604")}

    def add_place(self, address, link):
        _, root, *path = link[link.index("/pci"):].split("/")
        place = "/".join([root.split(":")[1]] + [part.split(":")[2] for part in path])
        self.places[address] = place
        self.addresses[place] = address

    def ask(self, earlybind, *arguments):
        """What earlybind says of the recording in JSON."""
        done = subprocess.run([earlybind, *arguments, "--json", "--sysroot", self.path],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False)
        if done.returncode not in (0, 1) or not done.stdout:
            raise ValueError(f"earlybind {' '.join(arguments)}: {done.stderr.decode()}")
        return json.loads(done.stdout)

    def to_places(self, groups):
        return {frozenset(self.places[a] for a in group) for group in groups}

    def computed(self, earlybind):
        groups = self.ask(earlybind, "list", "--why")["computed_groups"]
        return None if groups is None else self.to_places(groups)


def differing(a, b):
    """The places whose group is another one in the second partition."""
    return sorted({place for group in a ^ b for place in group})


def describe(places):
    return f"{len(places)} functions: {' '.join(places[:6])}"


def judge_boot(earlybind, recording):
    """The reason why the boot fails, or None."""
    computed = recording.computed(earlybind)
    if computed is None:
        return "the groups could not be computed"
    if not recording.groups:
        return "the kernel made no groups"
    other = differing(recording.groups, computed)
    return f"computed otherwise: {describe(other)}" if other else None


def judge_move(earlybind, base, moved, question):
    """What was promised for a card in another slot, beside the boot with it there."""
    card, target = question["card"], question["target"]
    answer = base.ask(earlybind, "plan", "--move",
                      f"{base.addresses[card]}={base.addresses[target]}")
    if answer["refused"]:
        return f"refused: {answer['refused']}"
    if not answer["all_known"]:
        return "not all groups were told"
    slot, there = card.rsplit("/", 1)[0] + "/", target + "/"
    promised = {frozenset(there + place[len(slot):] if place.startswith(slot) else place
                          for place in group) for group in base.to_places(answer["groups"])}
    other = differing(promised, moved.groups)
    return f"promised otherwise: {describe(other)}" if other else None


def judge_acs(earlybind, off, base, question):
    """What was promised for a port whose ACS was partly disabled, beside the boot without that."""
    answer = off.ask(earlybind, "plan", "--acs", off.addresses[question["acs"]])
    if answer["refused"]:
        # A port without ACS: the words on the command line did nothing.
        return None if off.groups == base.groups else f"refused: {answer['refused']}"
    other = differing(off.to_places(answer["groups"]), base.groups)
    return f"promised otherwise: {describe(other)}" if other else None


def cards(group):
    """The cards of a group: the places of their slots."""
    return {place.rsplit(".", 1)[0] for place in group}


def leavers(recording, off, base):
    """The group of each function that is no bridge, and the cards that leave it in the other boot."""
    there = {place: group for group in base.groups for place in group}
    for group in off.groups:
        ends = [place for place in group if place not in recording.bridges]
        for place in ends:
            left = cards(ends) - cards(there[place])
            if left:
                yield place, left


def loses_cards(off, base):
    """Whether a card shares a group with another one only in the first of the two boots."""
    return any(leavers(off, off, base))


def judge_parameter(earlybind, off, base, question):
    """What is said of the word that disables a part of a port's ACS, beside the boot without it."""
    groups = {g["id"]: g["why"] or "" for g in off.ask(earlybind, "list", "--why")["groups"]}
    leaving = dict(leavers(off, off, base))
    for place, number in off.numbers.items():
        says = f"command line has {question['word']}: without it" in groups[number]
        mates = [p for p in off.numbers if off.numbers[p] == number]
        if says != any(mate in leaving for mate in mates):
            return f"the group of {place}: {groups[number] or 'nothing is said'}"
    return None
