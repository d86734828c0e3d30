"""Why a ballot is not taken, or a vote not closed. None of them says who voted how."""

from __future__ import annotations

from governance.errors import GovernanceError, NotFound


class UnknownCode(NotFound):
    """投票码不正确，请核对表决票上的二维码或网址。"""


class NotOnRoll(GovernanceError):
    """名册中没有这个序号，或者不是由您投票。"""


class VoteNotBegun(GovernanceError):
    """表决还没有开始。"""


class VoteEnded(GovernanceError):
    """表决已经截止。"""


class VoteClosed(GovernanceError):
    """表决已经计票，不能再改动。"""


class VoteVoid(GovernanceError):
    """这次表决已经终止，选票不再计算。"""


class VoteStillOpen(GovernanceError):
    """表决还没有截止，也还有人没有投票，不能计票。"""


class AlreadyVoted(GovernanceError):
    """这一票已经投过了。"""


class GivenToProxy(GovernanceError):
    """已书面委托他人投票，撤回委托后才能自己投票。"""


class PaperIsSecret(GovernanceError):
    """秘密表决的纸质选票不能与名册对应：请先登记领票，再按票箱清点的结果录入。"""


class BallotsUnreadable(GovernanceError):
    """有选票无法读取：系统密钥与表决时的不同。"""


class CountDiffers(GovernanceError):
    """选票数与名册上的投票记录不一致，不能计票。"""
