"""The graphics card in the same group stays on its own driver. The binding succeeds, and
the report says that the group is not viable and which two functions block it.
"""

from machine import GPU, GPU_AUDIO

CONFIG = "none"
EARLYBIND = "installed"
CMDLINE = "intel_iommu=on rd.earlybind.bind=01:00.0,01:00.1"


def check(facts, native):
    facts.check_bound_at_boot(native, "command line")
    facts.check_driver(GPU, "bochs-drm")
    facts.check_driver(GPU_AUDIO, "snd_hda_intel")
    facts.reported_group(1, viable=False, blockers=[GPU, GPU_AUDIO])
