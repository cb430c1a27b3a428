"""What a booted machine told, and the questions that cases ask about it."""

import difflib
import json
import os
import re

from machine import GPU, GPU_AUDIO, MGMT, PORTS, USER

ALVEO_GROUP = sorted(PORTS + [MGMT, USER, GPU, GPU_AUDIO])


class Wrong(Exception):
    """A fact is not as the case expects it; the text says which."""


def expect(condition, text):
    """Raises Wrong with this text unless the condition holds."""
    if not condition:
        raise Wrong(text)


def overwrite(line):
    """What a terminal shows of a line with carriage returns in it."""
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown.rstrip()


class Function:
    """One PCI function as the booted system shows it."""

    def __init__(self, address, values):
        self.address = address
        self.id = f"{values['vendor'][2:]}:{values['device'][2:]}"
        self.class_ = values["class"][2:]
        self.subsystem = f"{values['subsystem_vendor'][2:]}:{values['subsystem_device'][2:]}"
        override = values.get("driver_override")
        self.override = None if override == "(null)" else override
        self.driver = values.get("driver")
        self.group = values.get("iommu_group")


class Facts:
    """The folder facts/ of one boot, with an image of this generator."""

    def __init__(self, folder, generator=None):
        self.folder = folder
        self.generator = generator
        values = {}
        # Lines `/sys/bus/pci/devices/ADDRESS/NAME:VALUE`; the value of a link is a path.
        for line in (self.text("attributes") + self.text("links")).splitlines():
            match = re.fullmatch(r"/sys/bus/pci/devices/([0-9a-f:.]+)/(\w+):(?:.*/)?(.*)", line)
            if match:
                values.setdefault(match[1], {})[match[2]] = match[3]
        self.functions = {a: Function(a, v) for a, v in values.items()}

    def text(self, name):
        """A file that the guest sent, or an empty text."""
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""

    def lspci(self, address):
        """The lines of `lspci -nnk` for one function."""
        short = address.removeprefix("0000:")
        blocks = re.split(r"^(?=\S)", self.text("lspci"), flags=re.M)
        return next((b for b in blocks if b.startswith(short + " ")), "")

    def drivers(self):
        """Address to driver name, for every function."""
        return {f.address: f.driver for f in self.functions.values()}

    # Checks. Each raises Wrong.

    def check_machine(self, iommu=True, more=(), has_slept=False):
        """What every boot must show, or the case proves nothing. `more` is in the card's group."""
        expect(self.text("settled").strip() == "0", "udev did not settle")
        expect(self.text("multi-user").strip() == "active", "multi-user was not reached")
        for address, wanted in ((MGMT, "10ee:5000"), (USER, "10ee:5001")):
            function = self.functions.get(address)
            expect(function, f"there is no function at {address}")
            expect(
                (function.id, function.class_, function.subsystem)
                == (wanted, "120000", "10ee:000e"),
                f"{address} is {function.id} class {function.class_}, not the card",
            )
        group = sorted(f.address for f in self.functions.values() if f.group == "1")
        if iommu:
            expect(group == sorted([*ALVEO_GROUP, *more]), f"IOMMU group 1 is {' '.join(group) or 'empty'}")
            self.check_computed_groups(has_slept)
        else:
            expect(
                not any(f.group for f in self.functions.values()),
                "there are IOMMU groups though the IOMMU is off",
            )

    def check_computed_groups(self, has_slept):
        """The kernel's groups are those that earlybind computes from the config spaces. QEMU's ECAM
        does not answer after a suspend: the host bridge's PCIEXBAR is off, and SeaBIOS leaves it so.
        """
        if not self.text("why.json"):
            expect(not self.text("why.err"), f"list --why: {self.text('why.err')}")
            return  # a machine without earlybind
        why = json.loads(self.text("why.json"))
        computed = why["computed_groups"]
        if has_slept:
            said = " ".join(str(group["why"]) for group in why["groups"])
            expect(computed is None, f"groups were computed from empty config spaces: {computed}")
            expect("like that of every device, has nothing from byte 256 on" in said, f"list --why: {said}")
            return
        expect(computed, "earlybind computed no groups")
        groups = {}
        for function in self.functions.values():
            if function.group:
                groups.setdefault(function.group, []).append(function.address)
        kernel = sorted(sorted(group) for group in groups.values())
        expect(sorted(sorted(group) for group in computed) == kernel,
               f"the kernel's groups are {kernel}, computed {computed}")

    def check_driver(self, address, driver, modules=None):
        """The function has this driver, by its link and by what lspci -nnk prints."""
        function = self.functions.get(address)
        expect(function, f"there is no function at {address}")
        expect(function.driver == driver, f"{address} has driver {function.driver}, not {driver}")
        said = self.lspci(address)
        expect(
            f"Kernel driver in use: {driver}\n" in said,
            f"lspci -k does not say that {address} has driver {driver}",
        )
        if modules:
            expect(
                f"Kernel modules: {modules}\n" in said,
                f"lspci -k does not name {modules} as the kernel module of {address}",
            )

    def check_native(self):
        """The machine is as if earlybind were not there."""
        self.check_driver(MGMT, "xclmgmt", "xclmgmt")
        self.check_driver(USER, "xocl", "xocl")
        self.check_driver(GPU, "bochs-drm")
        self.check_driver(GPU_AUDIO, "snd_hda_intel")
        for function in self.functions.values():
            expect(
                function.override is None,
                f"{function.address} is left with driver_override {function.override}",
            )

    def check_card_bound(self):
        """Both functions of the card are on vfio-pci, and lspci still knows their modules."""
        self.check_driver(MGMT, "vfio-pci", "xclmgmt")
        self.check_driver(USER, "vfio-pci", "xocl")

    def check_bound_at_boot(self, native, origin):
        """The card was bound by rules of this source before any driver had it, no more."""
        self.check_card_bound()
        self.check_others(native)
        for address in (MGMT, USER):
            self.reported(address, wanted="vfio-pci", action="bind", verdict="bound")
        self.check_rule_origin(origin)

    def check_others(self, native, changed=(MGMT, USER)):
        """No other function's driver differs from the machine without earlybind."""
        for address, driver in native.drivers().items():
            if address in changed:
                continue
            expect(address in self.functions, f"{address} is gone")
            now = self.functions[address].driver
            expect(now == driver, f"{address} has driver {now}, without earlybind {driver}")

    def check_log(self, pattern):
        """The kernel log has a line of earlybind's that matches."""
        expect(
            re.search(rf"earlybind: .*{pattern}", self.text("dmesg")),
            f"no line of earlybind's in the kernel log matches '{pattern}'",
        )

    def log_time(self, text):
        """When the kernel log first said this text, in seconds since the kernel started."""
        match = re.search(rf"^\[ *([0-9.]+)\] .*{re.escape(text)}", self.text("dmesg"), re.M)
        expect(match, f"the kernel log never says '{text}'")
        return float(match[1])

    def check_order(self, *texts):
        """The kernel log says these texts one after another."""
        times = [self.log_time(text) for text in texts]
        for i, text in enumerate(texts[1:]):
            expect(
                times[i] <= times[i + 1],
                f"the kernel log says '{text}' at {times[i + 1]} s, before '{texts[i]}'",
            )

    def check_seconds(self, address, least, most):
        """The binder worked this long on a device."""
        seconds = self.reported(address)["microseconds"] / 1e6
        expect(
            least <= seconds <= most,
            f"the report says {seconds:.1f} s for {address}, not {least} to {most}",
        )

    # The report.

    def report(self):
        """The report as it survived into the booted system: in /run, or PID 1's in /dev."""
        text = self.text("run/report.json") or self.text("dev/report.json")
        expect(text, "there is no report.json")
        try:
            report = json.loads(text)
        except ValueError as error:
            raise Wrong(f"report.json is not JSON: {error}") from None
        expect(report.get("schema") == 1, f"report.json has schema {report.get('schema')}")
        return report

    def reported(self, address, **wanted):
        """The report's entry of one device; its fields must be as wanted.

        A value may be a set: one of these.
        """
        devices = [d for d in self.report()["devices"] if d["address"] == address]
        expect(len(devices) == 1, f"the report has {len(devices)} entries for {address}")
        for field, value in wanted.items():
            values = value if isinstance(value, set) else {value}
            expect(
                devices[0].get(field) in values,
                f"the report says {field}={devices[0].get(field)!r} for {address},"
                f" not {' or '.join(map(repr, sorted(values, key=str)))}",
            )
        return devices[0]

    def check_rule_origin(self, name):
        """Every rule of the report that somebody wrote comes from this source."""
        rules = self.report()["rules"]
        origins = [rule["origin"] for rule in rules if rule["kind"] != "critical"]
        expect(origins, "the report has no rules")
        for origin in origins:
            expect(name in str(origin), f"the report has a rule from {origin}, not from {name}")

    def reported_group(self, number, viable, blockers):
        """The report's entry of one IOMMU group is as wanted."""
        groups = [g for g in self.report()["groups"] if str(g["id"]) == str(number)]
        expect(len(groups) == 1, f"the report has {len(groups)} entries for group {number}")
        expect(
            groups[0]["viable"] is viable and sorted(groups[0]["blockers"]) == sorted(blockers),
            f"the report says viable={groups[0]['viable']} blockers={groups[0]['blockers']}"
            f" for group {number}",
        )

    # Recordings.

    def session(self):
        """What script(1) recorded on the terminal, without what differs between machines."""
        path = self.folder / "session"
        text = path.read_bytes().decode(errors="replace") if path.exists() else ""
        text = "\n".join(map(overwrite, text.replace("\r\n", "\n").split("\n")))
        text = re.sub(r"\AScript started.*\n|\n?Script done.*\n?\Z", "", text)
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        text = re.sub(r"\b\d+\.\d+\.\d+-\d+-amd64\b", "VERSION", text)
        return re.sub(r"\b\d+(\.\d+)? (s|ms)\b", "N \\2", text)


def check_recording(path, text):
    """The recording is as in the file; LAB_UPDATE=1 in the environment writes it anew."""
    if os.environ.get("LAB_UPDATE"):
        path.write_text(text)
    wanted = path.read_text() if path.exists() else ""
    diff = difflib.unified_diff(wanted.splitlines(), text.splitlines(), "wanted", "said", n=0)
    expect(wanted == text, f"the recording differs from {path.name}: {' | '.join(diff)}")
