"""The engine's named errors. A docstring is the sentence people read; attributes carry the ids."""


class EngineError(Exception):
    """流程引擎无法执行该操作。"""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class Unreadable(EngineError):
    """文件无法读取：不是有效的 BPMN 流程图。"""


class NoSuchTask(EngineError):
    """该待办不存在或已办结。"""

    def __init__(self, key: str) -> None:
        super().__init__(f"待办“{key}”不存在或已办结。")
        self.key = key


class SeveralTasksOpen(EngineError):
    """该环节有多个待办，请指明是第几次。"""

    def __init__(self, element: str, keys: tuple[str, ...]) -> None:
        super().__init__(f"环节“{element}”有多个待办：{'、'.join(keys)}，请指明是哪一个。")
        self.element = element
        self.keys = keys


class NothingWaits(EngineError):
    """流程当前没有等待该消息或信号。"""

    def __init__(self, name: str) -> None:
        super().__init__(f"流程当前没有等待“{name}”。")
        self.name = name


class StepFailed(EngineError):
    """流程图在某个环节无法继续。"""

    def __init__(self, element: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.element = element
        self.rule = rule
        self.message = message
