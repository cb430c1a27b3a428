"""Machines by lot for tests/groups: ports, switches, bridges and cards, and changes of them.

A machine is a list of nodes, the one above first. Where a node is, is its place: the root bus and
the slot and function of each step below it, as "00/1c.0/00.0". It stays when bus numbers change.
"""

import copy
import random

# Conventional PCI, and PCI Express. What needs no drive, no network and no ROM.
CONVENTIONAL = ["e1000,romfile=", "edu", "pci-testdev", "rtl8139,romfile=", "ES1370"]
EXPRESS = ["e1000e,romfile=", "qemu-xhci", "virtio-rng-pci", "nvme,serial=lot", "bochs-display"]
ROOT_PORTS = ["pcie-root-port", "pcie-root-port", "pcie-root-port,disable-acs=on", "ioh3420"]
PORTS = ("pcie-root-port", "ioh3420", "xio3130-downstream")
NODES_MAX = 40


class Node:
    """One function: what QEMU calls it, the node above, slot and function there."""

    def __init__(self, device, above, slot, function=0, multifunction=False):
        self.device = device
        self.above = above  # a Node, or the name of a root bus
        self.slot = slot
        self.function = function
        self.multifunction = multifunction

    def is_port(self):
        return self.device.split(",")[0] in PORTS

    def place(self):
        above = self.above.place() if isinstance(self.above, Node) else ROOTS[self.above]
        return f"{above}/{self.slot:02x}.{self.function}"

    def is_below(self, node):
        return self is node or (isinstance(self.above, Node) and self.above.is_below(node))


ROOTS = {"pcie.0": "00", "pxb0": "40", "pxb1": "80"}


class Machine:
    def __init__(self, seed):
        self.seed = seed
        self.lot = random.Random(seed)
        self.nodes = []
        self.roots = ["pcie.0"]
        self.words = ""  # of the kernel's command line
        for root in ("pxb0", "pxb1"):
            if self.lot.random() < 0.25:
                self.roots.append(root)
        used = {root: list(range(1, 0x1f)) for root in self.roots}
        used["pcie.0"].remove(0x1e)  # two pxb-pcie are there
        used["pcie.0"].remove(0x1d)
        for _ in range(self.lot.randint(3, 7)):
            root = self.lot.choice(self.roots)
            slot = used[root].pop(self.lot.randrange(len(used[root])))
            self.add_root_slot(root, slot)

    def add(self, *args, **kwargs):
        node = Node(*args, **kwargs)
        self.nodes.append(node)
        return node

    def add_root_slot(self, root, slot):
        kind = self.lot.random()
        if kind < 0.7:
            count = self.lot.choice([1, 1, 1, 2, 3, 4])
            for function in range(count):
                port = self.add(self.lot.choice(ROOT_PORTS), root, slot, function,
                                count > 1 and function == 0)
                self.add_below(port)
        elif root != "pcie.0":
            self.add_below(self.add("pcie-root-port", root, slot))
        elif kind < 0.76:
            self.add_conventional_bus(self.add("pci-bridge", root, slot), 1)
        elif kind < 0.82:
            self.add_conventional_bus(self.add("pcie-pci-bridge", root, slot), 1)
        else:
            self.add_card(root, slot, self.lot.choice([CONVENTIONAL, EXPRESS]))

    def add_card(self, above, slot, kinds):
        count = self.lot.choice([1, 1, 2, 3])
        for function in range(count):
            self.add(self.lot.choice(kinds), above, slot, function,
                     count > 1 and function == 0)

    def add_conventional_bus(self, bridge, depth):
        for slot in self.lot.sample(range(1, 16), self.lot.randint(1, 3)):
            if depth < 3 and self.lot.random() < 0.25:
                self.add_conventional_bus(self.add("pci-bridge", bridge, slot), depth + 1)
            else:
                self.add_card(bridge, slot, CONVENTIONAL)

    def add_below(self, port, depth=0):
        """What is in a slot."""
        kind = self.lot.random()
        if kind < 0.2 or len(self.nodes) > NODES_MAX:
            return
        if kind < 0.65:
            self.add_card(port, 0, EXPRESS)
        elif kind < 0.75:
            self.add_conventional_bus(self.add("pcie-pci-bridge", port, 0), 1)
        elif depth < 2:
            self.add_switch(port, depth)

    def add_switch(self, port, depth):
        switch = self.add("x3130-upstream", port, 0)
        if self.lot.random() < 0.3:
            count = self.lot.randint(2, 3)
            for function in range(count):
                self.add_below(self.add("xio3130-downstream", switch, 0, function,
                                        function == 0), depth + 1)
            return
        for slot in self.lot.sample(range(0, 8), self.lot.randint(1, 3)):
            self.add_below(self.add("xio3130-downstream", switch, slot), depth + 1)

    def qemu(self):
        """The arguments for its devices."""
        names = {id(node): f"n{i}" for i, node in enumerate(self.nodes)}
        arguments = []
        for i, root in enumerate(r for r in self.roots if r != "pcie.0"):
            arguments += ["-device", f"pxb-pcie,id={root},bus=pcie.0,addr={0x1d + i:x}.0,"
                          f"bus_nr={int(ROOTS[root], 16)}"]
        for i, node in enumerate(self.nodes):
            above = names[id(node.above)] if isinstance(node.above, Node) else node.above
            text = f"{node.device},id=n{i},bus={above},addr={node.slot:x}.{node.function}"
            if node.multifunction:
                text += ",multifunction=on"
            kind = node.device.split(",")[0]
            if kind in PORTS:
                text += f",chassis={i + 1},slot={i + 1}"
            if kind == "pci-bridge":
                text += f",chassis_nr={i + 1},shpc=off"
            arguments += ["-device", text]
        return arguments

    # ---- changes: another machine, and what earlybind is asked of this one -----------------

    def move(self):
        """A card and the port that it goes to, or None: the machine then, and both places."""
        tops = [n for n in self.nodes if isinstance(n.above, Node) and n.above.is_port()
                and n.function == 0 and n.slot == 0]
        if not tops:
            return None
        top = self.lot.choice(tops)
        targets = [n for n in self.nodes if n.is_port() and not n.is_below(top)
                   and n is not top.above]
        # Mostly to a free one.
        free = [n for n in targets if not any(o.above is n for o in self.nodes)]
        if free and self.lot.random() < 0.8:
            targets = free
        # A port that would go away with what is in the target's slot.
        targets = [t for t in targets if not any(
            o.above is t and top.is_below(o) for o in self.nodes)]
        if not targets:
            return None
        target = self.lot.choice(targets)
        new = copy.deepcopy(self)
        new_top = new.nodes[self.nodes.index(top)]
        new_target = new.nodes[self.nodes.index(target)]
        card = [n for n in new.nodes if n.above is new_top.above]
        gone = [n for n in new.nodes if n.above is new_target]
        new.nodes = [n for n in new.nodes if not any(n.is_below(g) for g in gone)]
        for node in card:
            node.above = new_target
        new.sort()
        return new, top.place(), target.place()

    def sort(self):
        """The one above first."""
        left, self.nodes = self.nodes, []
        while left:
            ready = [n for n in left if not isinstance(n.above, Node) or n.above in self.nodes]
            self.nodes += ready
            left = [n for n in left if n not in ready]

    def switch_off(self, has_config_acs):
        """The machine with a part of a port's ACS off, and the place of the port; or None."""
        ports = [n for n in self.nodes if n.device == "pcie-root-port"
                 and any(o.above is n for o in self.nodes)]
        if not ports:
            return None
        place = self.lot.choice(ports).place()
        new = copy.deepcopy(self)
        root, *path = place.split("/")
        # From the right: SrcValid, TransBlk, ReqRedir, CmpltRedir, UpstreamFwd.
        bits = self.lot.choice(["xx0xxx0", "xxx0xxx", "xx00xx0", "xxxx0xx", "xxxxxx0"])
        word = f"config_acs={bits}@" if has_config_acs else "disable_acs_redir="
        new.words = f"pci={word}{root}:{'/'.join(path)}"
        return new, place
