"""Sentences that the lower floors make, in the reader's language. They come in Chinese and are recognised by their pattern."""

from __future__ import annotations

import re
from functools import cache

from flask_babel import get_locale

from web.language import gettext as _

SPLIT = re.compile("([；：])")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
COUNTED, NUMBER = ("n", "days", "hours", "minutes", "least", "most", "line", "year"), r"[\d.]+"


def say(sentence: str) -> str:
    """The sentence as the reader reads it; one that nobody knows stays as it is."""
    if str(get_locale()) == "zh":
        return sentence
    return _known(sentence) or "".join(_known(part) or part for part in SPLIT.split(sentence))


def _known(sentence: str) -> str | None:
    for text, pattern in _patterns():
        if match := pattern.fullmatch(sentence):
            return _(text, **{name: say(value) for name, value in match.groupdict().items()})
    return None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The wordiest first, so that a sentence is not taken for a shorter one with more to fill in."""
    texts = sorted(SENTENCES, key=lambda text: -len(PLACEHOLDER.sub("", text)))
    return tuple((text, re.compile("".join(map(_part, re.split(r"(%\(\w+\)s)", text))), re.S)) for text in texts)


def _part(part: str) -> str:
    name = PLACEHOLDER.fullmatch(part)
    return f"(?P<{name[1]}>{NUMBER if name[1] in COUNTED else '.+?'})" if name else re.escape(part)


def N_(text: str) -> str:
    """Marks a text for the catalogue."""
    return text


SENTENCES = (
    N_("；"),
    N_("："),
    # people and places
    N_("反映人"),
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
    N_("%(days)s 天 %(hours)s 小时"),
    N_("1 个工作日 %(hours)s 个工作时"),
    N_("1 天 %(hours)s 小时"),
    N_("%(hours)s 小时 %(minutes)s 分"),
    N_("%(hours)s 个工作时 %(minutes)s 分"),
    N_("剩不足 1 分"),
    N_("剩 %(span)s"),
    N_("已超期"),
    N_("超期 %(span)s"),
    # why a task is here
    N_("由反映人本人办理"),
    N_("%(post)s空缺"),
    N_("%(post)s须回避"),
    N_("原岗位空缺，由上级%(unit)s代为办理"),
    N_("各级均无人可办，交%(unit)s联席办主任"),
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
    N_("%(field)s至少选择 %(n)s 项"),
    N_("%(field)s最多 %(n)s 项"),
    N_("表单中没有这一项"),
    N_("没有这个类别"),
    N_("%(field)s中有不存在的选项"),
    N_("%(field)s含有无法保存的字符"),
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
    N_("页面打开后，该事项又有了新的进展，请刷新后再办理。"),
    N_("提交的内容含有无法保存的字符或数值。"),
    N_("事项已进入核查或已办结，不能再进行此操作。"),
    N_("反映人没有留下联系方式。"),
    N_("下一环节已经签收或办理，不能取回。"),
    N_("请从可以转办的人员中选择"),
    N_("请写明原因，不超过 %(n)s 个字"),
    N_("请写明原因，至少 %(n)s 个字"),
    N_("回复期限应为 1 至 30 个工作日"),
    N_("文件无法读取：不是有效的 BPMN 流程图。"),
    N_("记录中没有这一步。"),
    N_("该异常不存在或已处理。"),
    N_("没有配置外部服务“%(name)s”的地址。"),
    N_("外部服务“%(name)s”答复 %(n)s。"),
    N_("外部服务“%(name)s”没有答复。"),
    N_("外部服务“%(name)s”的答复不是 JSON 对象，或者过大。"),
    N_("“%(name)s”的设置：%(why)s"),
    N_("“%(name)s”没有设置由谁办理。"),
    N_("“%(name)s”的办理单位规则“%(rule)s”不存在。"),
    N_("“%(name)s”找不到办理单位（规则：%(rule)s）。"),
    N_("“%(name)s”的办理时限必须大于零。"),
    N_("“%(name)s”的办理时限设置无法读取。"),
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
    N_("单位编码“%(code)s”不存在"),
    N_("手机号码应为 %(least)s 至 %(most)s 位数字，或者留空"),
    N_("请填写%(kind)s的名称或编码"),
    N_("没有名称或编码为“%(name)s”的%(kind)s"),
    N_("有多个%(kind)s符合“%(name)s”，请填写编码，或者在名称前加上所在社区"),
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
