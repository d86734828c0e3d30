"""What starting refuses, by name."""

from __future__ import annotations

from governance.errors import GovernanceError


class NoLongerStarted(GovernanceError):
    """该流程已停用，不能再发起。"""
