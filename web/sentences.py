"""What comes from the lower floors and from processes, in the reader's language. It comes in Chinese.

Names are known by their text: those of the process at hand, of the code lists, of any published process. Sentences are recognised by
their pattern; what fills them in is a name or a sentence again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, pairwise

from flask_babel import get_locale

from governance.people.rules import POSTS
from web.codes import CODES
from web.language import N_
from web.language import gettext as _
from web.process_sentences import PROCESS
from web.studio import STUDIO
from web.texts import own_text, published_text
from web.voting import VOTING

SENTENCE_END, CLAUSES, LIST = re.compile("(?<=。)；"), re.compile("；|：| · "), re.compile("([，、])(?![^“]*”)")
"""The marks between sentences, between clauses, and between words outside of quotes."""
UNIT = re.compile("[^；：，、“”\\s]+")
CHINESE = re.compile("[\u3400-\u9fff]")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
NUMBER, QUOTED = r"[\d.]+", "(?:[^“”]|“[^“”]*”)*"
SHAPES = dict.fromkeys(("n", "days", "hours", "minutes", "least", "most", "line", "year"), NUMBER) | {
    "noun": r"\w+",
    "word": r"[\w.-]+",
    "where": "(?:“[^“”]*”[^“”]*|[^“”]+)",
}
"""What a placeholder of this name holds. Any other holds any text; between quotes, none that closes them."""
DEEPEST = 12
"""So many sentences may stand one in another: what people write could go on for ever."""


def say(sentence: str) -> str:
    """The name or sentence as the reader reads it; one that nobody knows stays as it is."""
    if not sentence or str(get_locale()) == "zh":
        return sentence
    return " ".join(_said(one, DEEPEST) for one in SENTENCE_END.split(sentence))


def _said(sentence: str, depth: int) -> str:
    """Clause by clause: what follows a mark may again be one sentence as a whole."""
    told, rest = "", sentence
    while not (whole := _whole(rest, depth)) and (mark := CLAUSES.search(rest)):
        head = rest[: mark.start()]
        told += (_whole(head, depth) or _listed(head, depth) or head) + (_name(mark[0]) or mark[0])
        rest = rest[mark.end() :]
    return told + (whole or _listed(rest, depth) or rest)


def _listed(text: str, depth: int) -> str | None:
    """Words in a row, when one of them is known."""
    parts = LIST.split(text)
    said = [_whole(part, depth) for part in parts]
    return "".join(known or part for known, part in zip(said, parts, strict=True)) if any(said[::2]) else None


def _whole(text: str, depth: int) -> str | None:
    """A clause may have lost the full stop that its sentence ends with."""
    if said := _name(text) or _known(text, depth) or _post(text):
        return said
    sentence = f"{text}。"
    said = _(sentence) if sentence in _plain() else _known(sentence, depth)
    return said and said.removesuffix(".")


def say_all(errors: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field, as the reader reads it."""
    return {name: say(error) for name, error in errors.items()}


def worded(text: str) -> str:
    """The text as the reader reads it when as a whole it is a name that is known; for what people may have written instead."""
    return (str(get_locale()) != "zh" and _name(text)) or text


def _name(text: str) -> str | None:
    return own_text(text) or (_(text) if text in CODES or text in _plain() else None) or published_text(text)


def _known(sentence: str, depth: int) -> str | None:
    """By its pattern; nothing is known when every Chinese word is left."""
    for text, pattern in _alike(sentence) if depth else ():
        if match := pattern.fullmatch(sentence):
            said = _(text, **{name: _said(value, depth - 1) for name, value in match.groupdict().items()})
            return said if len(CHINESE.findall(said)) < len(CHINESE.findall(sentence)) else None
    return None


def _alike(sentence: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The patterns of which a mark is in the sentence, the wordiest first."""
    marks = {*sentence, *map("".join, pairwise(sentence))}
    found = sorted(chain.from_iterable(_by_mark()[mark] for mark in marks & _by_mark().keys()))
    return (_patterns()[place] for place in found)


def _post(text: str) -> str | None:
    """临江社区第三网格网格长: the post of a unit, whose name stays as it is."""
    name = next((name for name in _posts() if text.endswith(name)), "")
    unit = text.removesuffix(name)
    return _("%(unit)s%(post)s", unit=unit, post=_(name)) if name and UNIT.fullmatch(unit) else None


@cache
def _posts() -> tuple[str, ...]:
    return tuple(sorted((post.name for post in POSTS.values()), key=len, reverse=True))


@cache
def _plain() -> frozenset[str]:
    return frozenset(text for text in SENTENCES if not PLACEHOLDER.search(text))


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The wordiest first, so that a sentence is not taken for a shorter one with more to fill in."""
    texts = sorted((text for text in SENTENCES if PLACEHOLDER.search(text)), key=lambda text: -len(PLACEHOLDER.sub("", text)))
    return tuple((text, re.compile("".join(_regex(text)), re.S)) for text in texts)


@cache
def _by_mark() -> Mapping[str, Sequence[int]]:
    """The places of the patterns by the end of their longest fixed part."""
    places: dict[str, list[int]] = {}
    for place, (text, _pattern) in enumerate(_patterns()):
        places.setdefault(max(PLACEHOLDER.sub("\0", text).split("\0"), key=len)[-2:], []).append(place)
    return places


def _regex(text: str) -> Iterator[str]:
    """The fixed parts, and between them what the placeholders hold."""
    end = 0
    for part in PLACEHOLDER.finditer(text):
        yield re.escape(text[end : part.start()])
        end = part.end()
        free = QUOTED if text[part.start() - 1 : part.start()] == "“" and text[end : end + 1] == "”" else ".+?"
        yield f"(?P<{part[1]}>{SHAPES.get(part[1], free)})"
    yield re.escape(text[end:])


SENTENCES = (
    *VOTING,
    *STUDIO,
    *PROCESS,
    N_("沟通"),
    N_("会签"),
    N_("催办"),
    N_("退回"),
    N_("抄送"),
    N_("转办"),
    N_("取回"),
    N_("；"),
    N_("，"),
    N_("、"),
    N_("："),
    N_("服务器磁盘空间不足，内容没有保存，请联系管理员腾出空间后重试。"),
    # people and places
    N_("反映人"),
    N_("居民"),
    N_("系统"),
    N_("区"),
    N_("街道"),
    N_("社区"),
    N_("片区"),
    N_("网格"),
    N_("楼栋"),
    N_("小区"),
    N_("部门"),
    # how long
    N_("%(n)s 个工作日"),
    N_("%(n)s 个工作时"),
    N_("%(n)s 个紧急工作时"),
    N_("%(n)s 个自然日"),
    N_("%(n)s 天"),
    N_("%(n)s 小时"),
    N_("%(n)s 分"),
    N_("1 个工作日"),
    N_("1 个工作时"),
    N_("1 个紧急工作时"),
    N_("1 个自然日"),
    N_("1 天"),
    N_("1 小时"),
    N_("1 分"),
    N_("不足 1 分"),
    N_("%(days)s 个工作日 %(hours)s 个工作时"),
    N_("1 个工作日 %(hours)s 个工作时"),
    N_("%(days)s 天 %(hours)s 小时"),
    N_("1 天 %(hours)s 小时"),
    N_("%(hours)s 小时 %(minutes)s 分"),
    N_("%(hours)s 个工作时 %(minutes)s 分"),
    N_("1 个工作时 %(minutes)s 分"),
    N_("剩不足 1 分"),
    N_("剩 %(span)s"),
    N_("已超期"),
    N_("超期 %(span)s"),
    # why a task is here
    N_("由反映人本人办理"),
    N_("由发起人本人办理"),
    N_("由表单中选定的人员办理"),
    N_("选定的人员已离任或须回避"),
    N_("%(post)s空缺"),
    N_("%(post)s须回避"),
    N_("%(post)s就是原办理人"),
    N_("原岗位空缺，由上级%(unit)s代为办理"),
    N_("各级均无人可办，交%(unit)s联席办主任"),
    N_("超期未办结，转由上级办理"),
    N_("超期"),
    N_("超期自动办结"),
    # forms
    N_("请填写%(field)s"),
    N_("请选择%(field)s"),
    N_("%(field)s填写不正确"),
    N_("%(field)s不能超过 %(n)s 个字"),
    N_("%(field)s至少 %(n)s 个字"),
    N_("%(field)s不能小于 %(n)s"),
    N_("%(field)s不能大于 %(n)s"),
    N_("%(field)s不在可选范围内"),
    N_("%(field)s不能晚于现在"),
    N_("%(field)s不能早于现在"),
    N_("%(field)s不能晚于一年以后"),
    N_("%(field)s至少选择 %(n)s 项"),
    N_("%(field)s最多 %(n)s 项"),
    N_("%(field)s至少上传 %(n)s 个"),
    N_("请上传%(field)s"),
    N_("请签名"),
    N_("签名是空白的，请签名"),
    N_("一张表单最多上传 %(n)s 次，请先提交，或者稍后再传"),
    N_("这张表单不收这种文件"),
    N_("%(field)s中有找不到的文件，请重新上传"),
    N_("文件“%(name)s”已不在"),
    N_("文件“%(name)s”的登记已不在"),
    N_("这个文件已不在，请联系管理员。"),
    N_("文件“%(name)s”的内容与记录不符"),
    N_("表单中没有这一项"),
    N_("没有这个类别"),
    N_("%(field)s中有不存在的选项"),
    N_("%(field)s中有不能选的人员"),
    N_("%(field)s的坐标不正确"),
    N_("请从查到的人员中选择%(field)s"),
    N_("%(field)s含有无法保存的字符"),
    N_("%(field)s填写的内容过多"),
    N_("意见"),
    N_("问题描述"),
    N_("标题"),
    N_("详细位置"),
    N_("称呼"),
    N_("请写明反映的问题"),
    N_("请填写正确的手机号码，或者留空"),
    N_("请选择照片"),
    N_("照片最多 %(n)s 张"),
    N_("照片超过 %(n)s MB"),
    N_("只能上传 JPG、PNG 或 WEBP 照片"),
    N_("照片尺寸过大"),
    # urging and copying
    N_("您刚刚催办过，请稍后再催。"),
    N_("您已经催办过，%(at)s以后可以再次催办。"),
    N_("附言"),
    N_("抄送对象"),
    N_("请选择抄送对象"),
    N_("一次最多抄送 %(n)s 人"),
    N_("不必抄送给自己"),
    N_("%(who)s已经抄送过，不用再次抄送"),
    N_("反映人要求保密，不能抄送给无权查看这件事的人：%(who)s"),
    # signing in
    N_("用户名或密码不正确。"),
    N_("连续输错次数过多，账号已暂时锁定，请 15 分钟后再试。"),
    N_("用户名应为 2 至 60 个字符，不含空格"),
    N_("用户名“%(name)s”已被使用"),
    N_("原密码不正确"),
    N_("新密码不能与原密码相同"),
    N_("密码应为 %(least)s 至 %(most)s 个字符"),
    # refusals
    N_("无法执行该操作。"),
    N_("没有找到，或者您无权查看。"),
    N_("您的岗位没有办理此事项的权限。"),
    N_("提交的内容有误。"),
    N_("流程引擎无法执行该操作。"),
    N_("该待办不存在或已办结。"),
    N_("待办“%(key)s”不存在或已办结。"),
    N_("该环节有多个待办，请指明是第几次。"),
    N_("环节“%(key)s”有多个待办：%(keys)s，请指明是哪一个。"),
    N_("流程当前没有等待该消息或信号。"),
    N_("流程当前没有等待“%(name)s”。"),
    N_("流程图在某个环节无法继续。"),
    N_("该流程实例不存在。"),
    N_("该流程版本不存在。"),
    N_("流程“%(key)s”没有已发布的版本。"),
    N_("该流程已停用，不能再发起。"),
    N_("流程包存在问题，不能发布。"),
    N_("流程包存在问题，不能发布"),
    N_("该流程实例不在运行中，不能执行此操作。"),
    N_("该流程实例%(state)s，不能执行此操作。"),
    N_("已挂起"),
    N_("已结束"),
    N_("已终止"),
    N_("正在运行"),
    N_("状态异常"),
    N_("该待办已经办结。"),
    N_("该待办已由他人签收。"),
    N_("该待办超期未办结，已转由上级办理。"),
    N_("“%(step)s”超期，但不能自动办结：%(why)s。"),
    N_("页面打开后，该事项又有了新的进展，请刷新后再办理。"),
    N_("提交的内容含有无法保存的字符或数值。"),
    N_("事项已进入核查或已办结，不能再进行此操作。"),
    N_("反映人没有留下联系方式。"),
    N_("请从可以转办的人员中选择"),
    N_("请从可以改派的人员中选择"),
    N_("改派给"),
    N_("原来的办理人不能办理，由系统管理员改派"),
    N_("这项待办现在有人可以办理，不需要改派。"),
    N_("请写明原因，不超过 %(n)s 个字"),
    N_("请写明原因，至少 %(n)s 个字"),
    N_("回复期限应为 1 至 30 个工作日"),
    N_("文件无法读取：不是有效的 BPMN 流程图。"),
    N_("记录中没有这一步。"),
    N_("该异常不存在或已处理。"),
    N_("只能移到同一流程的另一个版本。"),
    N_("移到新版之后又有了新的进展，或者没有移过，不能撤销。"),
    N_("已经有了后续动作，或者已经通知了外部，不能取回。"),
    N_("这次提交后来被取回了，请在重新打开的页面上提交。"),
    N_("按照新版，这件事项到这里已经结束，不能移过去。"),
    N_("所在的版本与回放不符"),
    N_("对应关系有误：其中写明的环节不在流程图中，或者重复。"),
    N_("对应关系有误，以下环节不在流程图中，或者重复：%(steps)s。"),
    N_("办理记录无法在新版流程上继续。"),
    N_("记录的下一步是收到“%(name)s”，新版此时没有等待它。"),
    N_("新版没有“%(step)s”这一步，请说明它改成了哪一步，或者不再需要。"),
    N_("“%(step)s”是新版增加的环节，记录中没有它的办理结果。"),
    N_("“%(step)s”有多个待办，分不清记录中办结的是哪一个。"),
    N_("记录的下一步是办理“%(step)s”，新版此时停在“%(here)s”。"),
    N_("“%(step)s”要查询的内容，记录中没有答复。"),
    N_("视为已办的环节反复出现，可能存在死循环。"),
    N_("新增的时限反复到期，可能存在死循环。"),
    N_("没有配置外部服务“%(name)s”的地址。"),
    N_("外部服务“%(name)s”答复 %(n)s。"),
    N_("外部服务“%(name)s”没有答复。"),
    N_("系统执行到这一步时多次出错，已停在这里，原因见系统日志。"),
    N_("处理这件事项时系统出错，没有改动它，原因见系统日志。"),
    N_("外部服务“%(name)s”的答复不是 JSON 对象，或者过大。"),
    N_("“%(name)s”的设置：%(why)s"),
    N_("“%(name)s”没有设置由谁办理。"),
    N_("“%(name)s”的办理单位规则“%(rule)s”不存在。"),
    N_("“%(name)s”的办理岗位“%(post)s”不存在。"),
    N_("“%(name)s”找不到办理单位（规则：%(rule)s）。"),
    N_("“%(name)s”由表单中选定的人员办理，但还没有选定人员。"),
    N_("“%(name)s”的办理时限必须大于零。"),
    N_("“%(name)s”的办理时限设置无法读取。"),
    # the engine at work
    N_("版次 %(n)s 与记录条数 %(most)s 不符"),
    N_("是否结束与回放不符"),
    N_("保存的状态与回放不符"),
    N_("待办与回放不符"),
    N_("定时与回放不符"),
    N_("办结的待办仍在待办箱中"),
    N_("末尾记录缺失或哈希链头不符"),
    N_("记录缺失"),
    N_("有一条记录已无法读取，其后的未能核对"),
    N_("记录与哈希链不符"),
    N_("流程实例缺失，记录仍在"),
    N_("记录与检查点 %(n)s 所封存的不符"),
    N_("标为已封存，却不在任何检查点中"),
    N_("检查点缺失"),
    N_("检查点缺失，成员仍在"),
    N_("与前一个检查点不相连"),
    N_("成员与根值不符"),
    N_("内容与哈希值不符"),
    N_("签名所用的公钥不是受信任的公钥"),
    N_("签名无效"),
    N_("锚定文件中有，数据库中没有"),
    N_("与锚定文件不符"),
    N_("锚定文件与数据库不符。"),
    N_("锚定文件 %(name)s 的最后一行（检查点 %(n)s）与数据库不符，不再续写。请保存该文件，用 wuzhang audit verify 核对。"),
    N_("内容与摘要不符"),
    N_("内容缺失而没有依法删除的记载"),
    N_("该步骤的内容已依法删除，无法回放。"),
    N_("回放与记录不一致。"),
    N_("第 %(n)s 步的内容已依法删除，无法回放到这一步之后。"),
    N_("回放到第 %(n)s 步时与记录不一致：%(why)s"),
    N_("查询“%(name)s”没有记录在案的答复"),
    N_("“%(text)s”不是 ISO 8601 时长（例如 P7D、PT2H）。"),
    N_("时刻“%(text)s”没有写明时区（例如 +08:00）。"),
    N_("“%(text)s”不是 ISO 8601 重复周期（例如 R3/PT1H）。"),
    N_("重复周期“%(text)s”短于一分钟。"),
    N_("“%(text)s”不是 ISO 8601 时刻（例如 2026-05-01T09:00+08:00）。"),
    N_("时间超出了公元 9999 年。"),
    N_("流程自动运行的步数过多，可能存在没有人工环节的死循环。"),
    N_("“%(name)s”同时进行的环节过多。"),
    N_("“%(name)s”之后没有一个条件成立，流程无法继续。"),
    N_("“%(name)s”由事件启动，不能有连线进入。"),
    N_("“%(name)s”的调用层数超过 %(n)s 层。"),
    N_("“%(name)s”调用的流程“%(key)s”不存在。"),
    N_("“%(name)s”的多实例数量必须是 0 至 %(n)s 项的列表或整数。"),
    N_("“%(name)s”的时间无法读取：%(why)s"),
    N_("“%(name)s”抛出的“%(event)s”没有环节处理。"),
    N_("“%(name)s”的取值“%(text)s”不在决策表允许的范围内"),
    N_("规则“%(rule)s”的“%(name)s”：%(why)s"),
    N_("决策表的结果过大"),
    N_("“%(name)s”要汇总，每条命中规则的结果都必须是数字"),
    N_("合计数字过大"),
    N_("“%(text)s”与“%(other)s”不能比较大小"),
    N_("决策表只允许命中一条规则，却同时命中了：%(why)s。"),
    N_("表达式有误：%(why)s。"),
    N_("表达式不符合规定：%(why)s。"),
    N_("表达式无法计算：%(why)s。"),
    N_("数据“%(name)s”还没有填写。"),
    N_("表达式的计算量或结果过大：%(why)s。"),
    N_("步骤太多"),
    N_("数字过大"),
    N_("数字过长"),
    N_("数字不是有限的数"),
    N_("内容超过 %(n)s 项或 %(most)s 个字符"),
    N_("文字含有无效字符"),
    N_("结果过大或嵌套过深"),
    N_("结果过长"),
    N_("只能使用文字、数字、真假、列表和字典"),
    N_("字典的键必须是文字"),
    N_("只有数字可以做算术"),
    N_("这里需要一个列表"),
    N_("只有数字与数字、文字与文字之间可以比较大小"),
    N_("只有文字、列表和字典有长度"),
    N_("空列表没有最大值和最小值"),
    N_("列表和字典不能转成文字"),
    N_("保留的小数位数只能是 0 至 %(n)s"),
    N_("函数“get”的第二个参数必须是文字"),
    N_("时刻和时长必须是文字"),
    N_("除数为零"),
    N_("列表中没有这一项"),
    N_("数据类型或取值不合"),
    N_("“%(text)s”不存在，圆点前面不是字典"),
    N_("方括号里，字典要写文字，列表要写序号"),
    N_("只有列表和文字可以截取，起止要写序号"),
    N_("“in”的右边要是列表、字典或文字"),
    N_("当前时刻没有写明时区"),
    N_("有不允许的写法"),
    N_("脚本中没有赋值"),
    N_("脚本每一行只能写一个“名称 = 表达式”"),
    N_("脚本每一行只能写“名称 = 表达式”，等号左边只能是一个名称"),
    N_("内容是空的"),
    N_("内容超过 %(n)s 个字符"),
    N_("括号嵌套过深"),
    N_("嵌套过深"),
    N_("“%(text)s”的写法有误"),
    N_("“%(name)s”不能用作数据名称"),
    N_("名称“%(name)s”不能以下划线开头"),
    N_("不允许展开字典"),
    N_("不允许乘方、位运算和矩阵运算"),
    N_("不允许 %(text)s 这种写法"),
    N_("不允许调用方法"),
    N_("没有函数“%(name)s”"),
    N_("函数“%(name)s”的参数只能依次填写"),
    N_("函数“now”没有参数"),
    N_("函数“defined”的括号里只能是一个名称"),
    N_("不允许定义函数"),
    N_("不允许推导式"),
    N_("不允许 f 开头的文字"),
    N_("不允许在表达式里赋值"),
    N_("不允许集合，请用方括号写列表"),
    N_("不允许用星号展开"),
    N_("流程包存在问题，不能发布：%(why)s"),
    # organisation and people
    N_("编码“%(code)s”已经存在"),
    N_("编码“%(code)s”应为 2 至 30 位字母、数字或短横线"),
    N_("名称应为 1 至 %(n)s 个字"),
    N_("上级编码“%(code)s”不存在"),
    N_("%(kind)s不能直接设在%(above)s之下"),
    N_("最上级"),
    N_("小区编码“%(code)s”不是已有的小区"),
    N_("“%(name)s”下面还有在用的单位，请先处理"),
    N_("类型“%(kind)s”应为%(kinds)s之一"),
    N_("户数“%(n)s”应为整数"),
    N_("姓名应为 1 至 40 个字"),
    N_("没有“%(post)s”这个岗位"),
    N_("%(post)s应设在%(kind)s，“%(unit)s”不是"),
    N_("任期的结束日期早于开始日期"),
    N_("这是最后一位%(post)s，请先任命接任的人"),
    N_("%(name)s已经有账号"),
    N_("单位编码“%(code)s”不存在"),
    N_("手机号码应为 %(least)s 至 %(most)s 位数字，或者留空"),
    N_("请填写%(kind)s的名称或编码"),
    N_("没有名称或编码为“%(name)s”的%(kind)s"),
    N_("有多个%(kind)s符合“%(name)s”，请填写编码，或者在名称前加上所在社区"),
    # matters
    N_("请从本议题可用的名册中选择"),
    N_("待审查"),
    N_("您已经表达过了，每人一次。"),
    N_("这件议题现在不在这一步，不能再提交。"),
    N_("请选择小区、社区、街道或全区"),
    N_("请填写%(field)s，不超过 %(n)s 个字"),
    N_("请填写正确的手机号码"),
    N_("请填写房号，例如 3 栋 2 单元 501"),
    N_("请写明异议和理由，不超过 %(n)s 个字"),
    N_("请选择满意程度"),
    N_("评语不能超过 %(n)s 个字"),
    N_("公示期不得少于 %(n)s 日"),
    N_("张贴时间不能早于交办张贴的时间"),
    N_("没有这个编号的在办议题"),
    N_("附议已达到法定比例，除违法违规、私人纠纷、超出自治范围外应当受理"),
    N_("一次最多交办 %(n)s 项"),
    N_("一次最多登记 %(n)s 人"),
    N_("小区事"),
    N_("社区事"),
    N_("街区事"),
    N_("城区事"),
    N_("建议"),
    N_("提议"),
    N_("商议"),
    N_("审议"),
    N_("决议"),
    N_("公示"),
    N_("落实"),
    N_("评价"),
    N_("已并入其他议题"),
    N_("已转为事项办理"),
    N_("已调解"),
    N_("未列入议题"),
    N_("未形成决议"),
    N_("未通过"),
    N_("已归档"),
    N_("要解决的问题"),
    N_("您的建议"),
    N_("议题名称"),
    N_("请填写姓名"),
    N_("违法违规"),
    N_("属私人纠纷"),
    N_("超出自治范围"),
    # meetings
    N_("联席会议"),
    N_("商议会"),
    N_("党员大会"),
    N_("居民代表会议"),
    N_("业主大会"),
    N_("其他会议"),
    N_("主持人"),
    N_("成员"),
    N_("列席"),
    N_("记录人"),
    N_("已通知"),
    N_("进行中"),
    N_("已取消"),
    N_("本级和上级"),
    N_("下级"),
    N_("会议当前的状态不能进行此操作。"),
    N_("会议通知已发出，议程和参会名单不能再改动。"),
    N_("该会议只能就通知载明的议题作出决定，不能增加临时议题。"),
    N_("未达到法定人数，不能开会。"),
    N_("未达到法定人数，不能开会：应到 %(most)s，实到 %(n)s，还差 %(least)s 人。"),
    N_("签到尚未开始：会前一小时起可以签到。"),
    N_("会议已结束，不能再签到。"),
    N_("姓名与所填的号码不符，请核对后重试。"),
    N_("输错次数过多，请到签到处由工作人员签到。"),
    N_("已经签到，不必重复签到。"),
    N_("已于 %(at)s 签到，不必重复签到。"),
    N_("会议记录已有新的版本，请在最新版本上签名。"),
    N_("已经在这一版会议记录上签名。"),
    N_("只有到会的人员可以在会议记录上签名。"),
    N_("会议名称"),
    N_("会议地点"),
    N_("线上会议的链接"),
    N_("线上会议的链接应以 https:// 开头"),
    N_("请填写会议地点，或者线上会议的链接"),
    N_("%(kind)s不召开%(body)s"),
    N_("请先写明议题"),
    N_("请先列出参会人员"),
    N_("开会时间已过，请先修改"),
    N_("%(body)s应提前 %(n)s 日通知，最早可于 %(day)s 召开"),
    N_("不足 %(n)s 日，最早可于 %(day)s 召开"),
    N_("确需紧急召开的，请写明原因"),
    N_("原因"),
    N_("取消的原因"),
    N_("议题"),
    N_("议题最多 %(n)s 项"),
    N_("保密事项的标题不上会议通知，请另写议题"),
    N_("没有这个编号的事项或议题，或者召集人无权查看"),
    N_("审议结果"),
    N_("提前通知的天数应为 0 至 %(n)s"),
    N_("法定人数应写成 2/3、1/2 的样子，或者留空"),
    N_("请写明依据，不超过 %(n)s 个字"),
    N_("姓名"),
    N_("身份"),
    N_("请填写姓名，每人一行"),
    N_("手机应为后四位数字"),
    N_("参会人员最多 %(n)s 人"),
    N_("会议记录"),
    N_("他人已保存了第 %(n)s 版，请对照后再保存"),
    N_("内容没有改动"),
    N_("附件超过 %(n)s MB"),
    N_("附件最多 %(n)s 个"),
    N_("一次最多上传 %(n)s 个附件"),
    N_("请选择要上传的附件"),
    N_("只能上传 PDF、Word（docx）、Excel（xlsx）文件或图片"),
    N_("议定事项"),
    N_("议定事项最多 %(n)s 项"),
    N_("完成期限应在今天之后"),
    N_("完成期限不能超过三年"),
    N_("待交办"),
    N_("落实中"),
    N_("已落实"),
    # processes
    N_("随产品发布"),
    # sheets
    N_("导入表中有错误，未写入任何内容。"),
    N_("导入表中有错误，未写入任何内容"),
    N_("第 %(line)s 行%(sentence)s"),
    N_("第 %(line)s 行"),
    N_("不是 Excel 或 CSV 表格"),
    N_("只支持 .xlsx 或 CSV 文件"),
    N_("文件超过 %(n)s MB"),
    N_("超过 %(n)s 行，请分批导入"),
    N_("有单元格超过 %(n)s 个字"),
    N_("缺少列"),
    N_("缺少或重复了列"),
    N_("文件是空的"),
    N_("不是有效的 CSV"),
    N_("表格展开后过大"),
    N_("不是可以读取的 Excel 表格"),
    # calendar
    N_("工作日历无法执行该操作。"),
    N_("时刻没有写明时区。"),
    N_("时刻“%(at)s”没有写明时区。"),
    N_("时限必须在零到十年之间。"),
    N_("班次无效：至少要有一个班次，每班先上班后下班，各班按先后排列且不重叠。"),
    N_("有效期无效：截止日期早于起始日期。"),
    N_("该年度的放假安排尚未公布。"),
    N_("%(year)s 年的放假安排尚未公布，请待公布后导入。"),
    N_("日历文件有误，没有写入任何一天。"),
    N_("日历文件有误，没有写入任何一天"),
    N_("类型“%(kind)s”应为“工作日”或“休息日”。"),
    N_("说明超过 %(n)s 字。"),
    N_("日期“%(day)s”应写成 2027-01-01 的样子。"),
    N_("日期“%(day)s”的年份超出范围。"),
    N_("日期“%(day)s”不存在。"),
    N_("日期 %(day)s 与第 %(line)s 行重复。"),
    N_("错误过多，其后各行未检查。"),
    N_("文件里没有任何日期。"),
)
