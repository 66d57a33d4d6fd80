"""Make one check."""

from importlib import import_module

from tractcap.checks.common.check_definition import Check, CheckInput, Findings
from tractcap.checks.common.output import CheckOutput
from tractcap.checks.common.shared_files import SharedFiles
from tractcap.errors import EmptyError


def run_check(check: Check, inputs: CheckInput, output: CheckOutput, files: SharedFiles) -> Findings:
    """Measure a bundle, and write pictures and tables.

    Parameters
    ----------
    files : opens tractograms; the same for all checks that shall share what they read.

    Raises
    ------
    InputError
        When a file can't be read, or can't be compared with the bundle.
    """
    module = import_module(f"tractcap.checks.{check.name}")
    try:
        findings: Findings = module.run(inputs, output, files)
    except EmptyError as error:
        return Findings(missing=str(error))
    return findings
