import shutil

import pytest

from sandboxes import SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.provers.coq.installation import Installation, installation


@pytest.fixture(scope="session")
def rocq() -> Installation:
    """The installed Rocq; without one, the test is skipped."""
    if shutil.which("coqc") is None or shutil.which("coqidetop.opt") is None:
        pytest.skip("Rocq is not installed: `make provers`")
    try:
        BubblewrapConfig().check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    return installation()
